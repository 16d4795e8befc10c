import type { Catalog, Stream } from '../../model/stream.js'
import { isCursorType } from './cursor-type.js'
import type { Relation, RelationEntry, RelationKind } from './relation.js'
import type { Session, TextRow } from './session.js'
import { jsonList } from './sql.js'
import { fieldOf, type PostgresColumn, type PostgresTypeInfo } from './types.js'

// Partitions are read by their root; temporary relations belong to other sessions.
const RELATIONS = `
SELECT c.oid::text AS oid, n.nspname::text AS namespace, c.relname::text AS name, c.relkind::text AS kind,
  (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (pg_catalog.has_table_privilege(c.oid, 'SELECT')
    OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT')))::text AS readable,
  EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.objid = c.oid AND d.deptype = 'e')::text AS of_extension,
  c.relhassubclass::text AS has_descendants, pg_catalog.row_security_active(c.oid)::text AS row_security,
  pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
  CASE WHEN c.relkind = 'p' THEN (SELECT pg_catalog.sum(leaf.reltuples) FROM pg_catalog.pg_partition_tree(c.oid) p
      JOIN pg_catalog.pg_class leaf ON leaf.oid = p.relid WHERE p.isleaf AND leaf.reltuples >= 0)
    WHEN c.relkind IN ('r', 'm') AND c.reltuples >= 0 THEN c.reltuples END::text AS estimate,
  (SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)::text FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k(attribute, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attribute
    WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND k.place <= i.indnkeyatts
      AND NOT (c.relkind = 'r' AND c.relhassubclass)) AS primary_key
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND ($1::text IS NULL OR n.nspname IN (SELECT pg_catalog.json_array_elements_text($1::json)))
  AND ($2::text IS NULL OR c.relname IN (SELECT pg_catalog.json_array_elements_text($2::json)))
ORDER BY 2, 3`

// A domain is followed to the type that it rests on; a type modifier may sit at any level on the way.
const COLUMNS = `
SELECT a.attrelid::text AS relation, a.attname::text AS name, a.atttypid::text AS type_oid, a.atttypmod::text AS modifier,
  a.attnotnull::text AS not_null, pg_catalog.col_description(a.attrelid, a.attnum) AS comment,
  tn.nspname::text AS type_schema, t.typname::text AS type_name, t.typtype::text AS type_kind, t.typcategory::text AS category,
  CASE WHEN b.typcategory = 'A' THEN b.typelem ELSE 0 END::text AS element_oid,
  CASE WHEN b.typcategory = 'A' THEN e.typtype END::text AS element_kind,
  CASE WHEN t.typtype = 'd' THEN base.oid ELSE 0 END::text AS base_oid, base.modifier::text AS base_modifier,
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS display
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
CROSS JOIN LATERAL (
  WITH RECURSIVE chain(oid, modifier, depth) AS (
    SELECT t.oid, -1, 0
    UNION ALL
    SELECT d.typbasetype, CASE WHEN chain.modifier = -1 THEN d.typtypmod ELSE chain.modifier END, chain.depth + 1
    FROM chain JOIN pg_catalog.pg_type d ON d.oid = chain.oid AND d.typtype = 'd'
  )
  SELECT chain.oid, chain.modifier FROM chain ORDER BY depth DESC LIMIT 1
) base
JOIN pg_catalog.pg_type b ON b.oid = base.oid
LEFT JOIN pg_catalog.pg_type e ON e.oid = b.typelem
WHERE a.attrelid IN (SELECT pg_catalog.json_array_elements_text($1::json)::oid) AND a.attnum > 0 AND NOT a.attisdropped
  AND (pg_catalog.has_table_privilege(a.attrelid, 'SELECT') OR pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'))
ORDER BY a.attrelid, a.attnum`

/** Which relations to look at; left out: all. */
export interface RelationFilter {
  readonly schemas?: readonly string[] | undefined
  readonly names?: readonly string[] | undefined
}

/** Tables, partitioned tables by their root, views, materialized views and foreign tables, readable or not. */
export async function loadRelations(
  session: Session,
  filter: RelationFilter,
  signal: AbortSignal,
): Promise<RelationEntry[]> {
  const list = (values: readonly string[] | undefined) => (values === undefined ? null : jsonList(values))
  const rows = await session.query<
    | 'oid'
    | 'namespace'
    | 'name'
    | 'kind'
    | 'readable'
    | 'of_extension'
    | 'has_descendants'
    | 'row_security'
    | 'comment'
    | 'estimate'
    | 'primary_key'
  >(RELATIONS, signal, [list(filter.schemas), list(filter.names)])
  return rows.map((row) => ({
    oid: row.oid!,
    namespace: row.namespace!,
    name: row.name!,
    kind: row.kind as RelationKind,
    readable: row.readable === 'true',
    ofExtension: row.of_extension === 'true',
    hasDescendants: row.has_descendants === 'true',
    rowSecurity: row.row_security === 'true',
    comment: row.comment ?? undefined,
    primaryKey: row.primary_key == null ? undefined : (JSON.parse(row.primary_key) as string[]),
    estimatedRecords: row.estimate == null ? undefined : Math.round(Number(row.estimate)),
  }))
}

/** The same relations with their readable columns. */
export async function loadColumns(
  session: Session,
  entries: readonly RelationEntry[],
  signal: AbortSignal,
): Promise<Relation[]> {
  const rows: ColumnRow[] = await session.query(COLUMNS, signal, [jsonList(entries.map(({ oid }) => oid))])
  const byRelation = new Map<string, PostgresColumn[]>(entries.map(({ oid }) => [oid, []]))
  for (const row of rows) byRelation.get(row.relation!)?.push(columnOf(row))
  return entries.map((entry) => ({ ...entry, columns: byRelation.get(entry.oid)! }))
}

type ColumnRow = TextRow<
  | 'relation'
  | 'name'
  | 'type_oid'
  | 'modifier'
  | 'not_null'
  | 'comment'
  | 'type_schema'
  | 'type_name'
  | 'type_kind'
  | 'category'
  | 'element_oid'
  | 'element_kind'
  | 'base_oid'
  | 'base_modifier'
  | 'display'
>

function columnOf(row: ColumnRow): PostgresColumn {
  return {
    name: row.name!,
    typeOid: Number(row.type_oid),
    typeModifier: Number(row.modifier),
    notNull: row.not_null === 'true',
    ...(row.comment !== null && { comment: row.comment }),
    type: {
      oid: Number(row.type_oid),
      schema: row.type_schema!,
      name: row.type_name!,
      kind: row.type_kind as PostgresTypeInfo['kind'],
      category: row.category!,
      elementOid: Number(row.element_oid),
      ...(row.element_kind !== null && { elementKind: row.element_kind as PostgresTypeInfo['kind'] }),
      baseTypeOid: Number(row.base_oid),
      baseTypeModifier: Number(row.base_modifier),
      display: row.display!,
    },
  }
}

export function catalogOf(relations: readonly Relation[]): Catalog {
  return { streams: relations.map(streamOf) }
}

function streamOf(relation: Relation): Stream {
  const { columns, primaryKey, comment, estimatedRecords } = relation
  const readableKey = primaryKey?.every((name) => columns.some((column) => column.name === name))
  return {
    namespace: relation.namespace,
    name: relation.name,
    schema: { fields: columns.map(fieldOf) },
    syncModes: columns.some(({ type }) => isCursorType(type)) ? ['full_refresh', 'incremental'] : ['full_refresh'],
    ...(readableKey && primaryKey !== undefined && { primaryKey }),
    ...(comment !== undefined && { comment }),
    ...(estimatedRecords !== undefined && { estimatedRecords }),
  }
}
