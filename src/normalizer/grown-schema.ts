import type { IdentifierRules, TypeRules } from '../destination/capabilities.js'
import { SynclineError } from '../errors/syncline-error.js'
import type { FieldType } from '../model/field-type.js'
import { isFieldType, sameFieldType } from '../model/field-type-checks.js'
import type { Json } from '../model/json.js'
import type { RecordSchema } from '../model/schema.js'
import { widen } from '../model/widen.js'
import { columnName, sameNameKey } from './naming.js'
import { tableType } from './table-type.js'

/** One column of a table that grows with its records. */
export interface GrownField {
  /** The record's field. */
  readonly field: string
  /** The column's name, once given. */
  readonly name: string
  /** Where it stands among the columns; equal ones (of writers that grew apart) stand in the order of their fields. */
  readonly order: number
  /** The column's type. */
  readonly type: FieldType
}

const FORMAT = 1

/** The fields that a table has had so far: it gains fields and wider types, and never loses any. */
export class GrownSchema {
  private readonly byField = new Map<string, GrownField>()
  private readonly takenNames: Set<string>
  private ordered: readonly GrownField[] = []

  constructor(
    private readonly rules: { readonly identifiers: IdentifierRules; readonly types: TypeRules },
    /** Names that no field may have. */
    reserved: readonly string[],
    saved?: Json,
  ) {
    this.takenNames = new Set(reserved.map((name) => sameNameKey(name, rules.identifiers)))
    for (const field of saved === undefined ? [] : fieldsOf(saved)) {
      // Two writers that grew apart may have given one name to two fields: the first keeps it.
      const name = this.isTaken(sameNameKey(field.name, rules.identifiers)) ? this.newName(field.field) : field.name
      this.put({ ...field, name, type: tableType(field.type, rules.types) })
    }
    this.sort()
  }

  /** In the order of the columns. */
  get fields(): readonly GrownField[] {
    return this.ordered
  }

  get(field: string): GrownField | undefined {
    return this.byField.get(field)
  }

  /** Takes the fields of a record schema in; whether anything changed. */
  grow(schema: RecordSchema): boolean {
    let grown = false
    let order = (this.ordered.at(-1)?.order ?? -1) + 1
    for (const { name: field, type } of schema.fields) {
      const needed = tableType(type, this.rules.types)
      const known = this.byField.get(field)
      if (known === undefined) {
        this.put({ field, name: this.newName(field), order: order++, type: needed })
      } else {
        const wider = tableType(widen(known.type, needed), this.rules.types)
        if (sameFieldType(wider, known.type)) continue
        this.byField.set(field, { ...known, type: wider })
      }
      grown = true
    }
    if (grown) this.sort()
    return grown
  }

  /** Plain JSON, the same for the same fields. */
  toJson(): Json {
    return { format: FORMAT, fields: this.ordered as unknown as Json }
  }

  private sort(): void {
    this.ordered = [...this.byField.values()].sort(byOrder)
  }

  private put(field: GrownField): void {
    this.byField.set(field.field, field)
    this.takenNames.add(sameNameKey(field.name, this.rules.identifiers))
  }

  private readonly isTaken = (key: string) => this.takenNames.has(key)

  private newName(field: string): string {
    return columnName(field, this.rules.identifiers, this.isTaken)
  }
}

/** The saved schema that holds both: pure, associative, commutative, idempotent. */
export function joinGrownSchemas(a: Json, b: Json): Json {
  const fields = new Map<string, GrownField>()
  for (const field of [...fieldsOf(a), ...fieldsOf(b)]) {
    const other = fields.get(field.field)
    fields.set(field.field, other === undefined ? field : joinFields(other, field))
  }
  return { format: FORMAT, fields: [...fields.values()].sort(byOrder) as unknown as Json }
}

function joinFields(a: GrownField, b: GrownField): GrownField {
  return {
    field: a.field,
    name: [a.name, b.name].sort()[0]!,
    order: Math.min(a.order, b.order),
    type: widen(a.type, b.type),
  }
}

function byOrder(a: GrownField, b: GrownField): number {
  return a.order - b.order || (a.field < b.field ? -1 : a.field > b.field ? 1 : 0)
}

function fieldsOf(saved: Json): readonly GrownField[] {
  const { format, fields } = (saved ?? {}) as { readonly format?: unknown; readonly fields?: unknown }
  if (typeof format === 'number' && format > FORMAT) {
    throw new SynclineError('STATE_VERSION_UNSUPPORTED', 'The saved schema was written by a newer syncline.', {
      phase: 'open',
      hint: 'Use a version of syncline that is at least as new as the one that wrote the state.',
    })
  }
  if (format === FORMAT && Array.isArray(fields) && fields.every(isGrownField)) return fields
  throw new SynclineError('STATE_CORRUPT', 'The saved schema of a table is not one of this normalizer.', {
    phase: 'open',
    hint: 'Go back to the normalizer that the pipeline had before, or give the pipeline a new name.',
  })
}

function isGrownField(value: unknown): value is GrownField {
  if (typeof value !== 'object' || value === null) return false
  const { field, name, order, type } = value as { readonly [key: string]: unknown }
  return typeof field === 'string' && typeof name === 'string' && typeof order === 'number' && isFieldType(type)
}
