import { streamKey } from '../../model/stream.js'
import type { PostgresSourceConfig, PostgresTableName } from './config.js'
import type { RelationEntry } from './relation.js'

/** Whether an entry of the option `tables` means this relation. */
export function isNamed(table: PostgresTableName, relation: Pick<RelationEntry, 'namespace' | 'name'>): boolean {
  return typeof table === 'string'
    ? table === relation.name || table === streamKey(relation)
    : table.namespace === relation.namespace && table.name === relation.name
}

/** The relations that the options choose. What belongs to an extension has to be named. */
export function chosen(config: PostgresSourceConfig, relations: readonly RelationEntry[]): RelationEntry[] {
  const { tables } = config
  if (tables === undefined) return relations.filter(({ ofExtension }) => !ofExtension)
  return relations.filter((relation) => tables.some((table) => isNamed(table, relation)))
}
