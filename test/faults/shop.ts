import type { Json, RecordSchema } from 'syncline'
import { type MemoryStore, MemoryTables, type Random, type StoredRow } from 'syncline/testing'

const SCHEMA: RecordSchema = {
  fields: [
    { name: 'id', type: { kind: 'int64' }, nullable: false },
    { name: 'text', type: { kind: 'string' }, nullable: true },
    { name: 'at', type: { kind: 'int32' }, nullable: true },
  ],
}

/** A world that shops could have, with a stream of every kind. */
export class Shop {
  readonly tables = new MemoryTables()
  /** Only grows; read by cursor, with ties. */
  readonly events = this.tables.table({ name: 'events', namespace: 'shop', schema: SCHEMA, cursorField: 'at' })
  /** Anything may happen to it; read as a whole. */
  readonly customers = this.tables.table({ name: 'customers', namespace: 'shop', schema: SCHEMA, primaryKey: ['id'] })
  /** Rows are added and changed; read by cursor, merged by key. */
  readonly orders = this.tables.table({
    name: 'orders',
    namespace: 'shop',
    schema: SCHEMA,
    primaryKey: ['id'],
    cursorField: 'at',
  })
  /** Anything may happen to them; read from the change log. */
  readonly logged = ['stock', 'prices'].map((name) =>
    this.tables.table({ name, schema: SCHEMA, primaryKey: ['id'], changeLog: true }),
  )
  /** What a reader of `customers` may see: every state in which a reading could have found it. */
  readonly customersSeen: string[] = [ids([])]
  #clock = 1
  /** Moves with every other event, so that cursors tie, also with what was read before. */
  #eventClock = 1
  #ids = 1n

  constructor(readonly random: Random) {
    for (const table of [this.events, this.customers, this.orders, ...this.logged]) {
      const rows = random.int(0, 25)
      for (let row = 0; row < rows; row++) table.insert(this.#record())
      if (table === this.events) this.#eventClock = this.#clock
    }
    this.#remember()
  }

  /** What happens between two runs, or during one. */
  live(): void {
    const { random } = this
    for (let step = random.int(1, 8); step > 0; step--) {
      if (random.chance(0.5)) this.#eventClock++
      this.events.insert({ ...this.#record(), at: this.#eventClock })
      if (random.chance(0.3)) this.orders.insert(this.#record())
      if (random.chance(0.5) && this.orders.rows.length > 0) {
        this.orders.update(random.pick(this.orders.rows).id, { text: `changed ${this.#clock}`, at: ++this.#clock })
      }
      this.#disturb(this.customers)
      for (const table of this.logged) this.#disturb(table)
    }
    this.#remember()
  }

  #disturb(table: Shop['customers']): void {
    const { random } = this
    const row = table.rows.length > 0 ? random.pick(table.rows) : undefined
    const dice = random.next()
    if (dice < 0.4 || row === undefined) table.insert(this.#record())
    else if (dice < 0.6) table.update(row.id, { text: `changed ${this.#clock}` })
    else if (dice < 0.7) table.update(row.id, { at: ++this.#clock }, table.definition.changeLog ? ['text'] : [])
    else if (dice < 0.97) table.delete(row.id)
    else table.truncate()
  }

  #remember(): void {
    this.customersSeen.push(ids(this.customers.rows.map(({ values }) => values)))
  }

  #record() {
    if (this.random.chance(0.5)) this.#clock++
    return { id: this.#ids++, text: this.random.chance(0.1) ? null : `text ${this.#clock}`, at: this.#clock }
  }
}

/** Rows as the source has them, in one text each and in a fixed order. */
export function texts(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  return rows.map(({ id, text, at }) => JSON.stringify([String(id), text, at] as Json)).sort()
}

function ids(rows: readonly Readonly<Record<string, unknown>>[]): string {
  return texts(rows).join()
}

export function sourceTexts(table: Shop['customers']): string[] {
  return texts(table.rows.map(({ values }) => values))
}

export function read(store: MemoryStore, table: Shop['customers']): StoredRow[] {
  const { name, namespace } = table.definition
  const found = [...store.tables.values()].find(({ shape }) => {
    return shape.name === name && shape.namespace === namespace && shape.role === 'main'
  })
  const deleted = (row: StoredRow) => row['_ab_cdc_deleted_at'] !== undefined && row['_ab_cdc_deleted_at'] !== null
  if (found === undefined) return []
  return found.rows.filter((row) => !row.deleted && !deleted(row.values)).map(({ values }) => values)
}

/** Whether these rows are a state of `customers` that a snapshot could have had, and no part of one (D8). */
export function isWholeCustomers(shop: Shop, rows: readonly StoredRow[]): boolean {
  return shop.customersSeen.includes(ids(rows))
}
