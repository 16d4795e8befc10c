export type {
  PostgresConnectionOptions,
  PostgresPool,
  PostgresSourceOptions,
  PostgresSslMode,
  PostgresSslOptions,
  PostgresTableName,
} from './config.js'
export { postgresSource } from './source.js'
