import { SynclineError } from '../../errors/syncline-error.js'
import type { ConfiguredStream } from '../../model/configured-stream.js'
import { streamRef } from '../../model/stream.js'
import { cursorCast, cursorRule, type LagUnit } from './cursor-type.js'
import type { Relation } from './relation.js'
import type { Session } from './session.js'
import { identifier, literal, qualified } from './sql.js'
import type { PostgresColumn } from './types.js'

/** The cursor of one stream: how its values are written in SQL and compared by the server, never here. */
export class Cursor {
  /** Quoted. */
  readonly column: string
  readonly #cast: string
  readonly #table: string

  private constructor(
    readonly field: string,
    readonly family: string,
    readonly lagUnit: LagUnit,
    /** NaN and infinity sort above all values of the type and can be no bound. */
    readonly infinite: boolean,
    readonly nullable: boolean,
    relation: Relation,
    source: PostgresColumn,
  ) {
    this.#table = qualified(relation)
    this.column = identifier(field)
    this.#cast = qualified(cursorCast(source.type))
  }

  static of(stream: ConfiguredStream, relation: Relation): Cursor {
    const { cursorField } = stream
    const details = { connector: 'postgres', stream: streamRef(stream) }
    if (cursorField === undefined) {
      throw new SynclineError('CONFIG_CURSOR_REQUIRED', 'An incremental stream needs a cursor field.', {
        ...details,
        hint: 'Give the stream a cursorField: a column that grows with every insert and update.',
      })
    }
    const column = relation.columns.find(({ name }) => name === cursorField)
    if (column === undefined) {
      throw new SynclineError('SOURCE_CURSOR_MISSING', `The cursor field ${cursorField} is not there.`, {
        ...details,
        hint: 'It was dropped or renamed, or the user may not read it. Choose another cursor field and reset the stream.',
      })
    }
    const rule = cursorRule(column.type)
    if (rule === undefined) {
      throw new SynclineError(
        'CONFIG_CURSOR_INVALID',
        `${column.type.display} is no type for a cursor (${cursorField}).`,
        {
          ...details,
          hint: 'Use a number, date, timestamp, text, uuid or enum that grows with every insert and update.',
        },
      )
    }
    return new Cursor(cursorField, rule.family, rule.lag, rule.infinite, !column.notNull, relation, column)
  }

  /** A saved value in SQL. */
  value(text: string): string {
    return `${literal(text)}::${this.#cast}`
  }

  /** SQL that is true for values that can be a bound. */
  usable(column = this.column): string {
    return this.infinite ? `${column} < ${this.value('infinity')}` : `${column} IS NOT NULL`
  }

  /** SQL that is true for rows that are never read; `undefined` where there can be none. */
  unusable(): string | undefined {
    const conditions = [
      ...(this.nullable ? [`${this.column} IS NULL`] : []),
      ...(this.infinite ? [`${this.column} >= ${this.value('infinity')}`] : []),
    ]
    return conditions.length === 0 ? undefined : conditions.join(' OR ')
  }

  async isLess(session: Session, a: string, b: string, signal: AbortSignal): Promise<boolean> {
    if (a === b) return false
    const [row] = await session.query<'less'>(
      `SELECT (a.v < b.v)::text AS less FROM ${this.#collated(a)} a, ${this.#collated(b)} b`,
      signal,
    )
    return row!.less === 'true'
  }

  /** The value that lies so far behind another one. */
  async behind(session: Session, value: string, lag: number, signal: AbortSignal): Promise<string> {
    if (lag === 0) return value
    const amount = literal(String(lag))
    let sql: string
    switch (this.lagUnit) {
      case 'integer':
        // As numeric, and not below what the type holds.
        sql = `GREATEST(${literal(value)}::pg_catalog.numeric - pg_catalog.ceil(${amount}::pg_catalog.numeric), ${this.#least()})`
        break
      case 'number':
        sql = `${this.value(value)} - ${amount}::${this.#cast}`
        break
      case 'days':
        sql = `${this.value(value)} - pg_catalog.ceil(${amount}::pg_catalog.float8 / 86400)::pg_catalog.int4`
        break
      case 'seconds':
        sql = `${this.value(value)} - pg_catalog.make_interval(secs => ${amount}::pg_catalog.float8)`
        break
      case 'none':
        throw new SynclineError('CONFIG_INVALID', `The cursor ${this.field} is of a type that knows no lag.`, {
          connector: 'postgres',
          hint: 'Take the option lag away for this stream, or choose a cursor that is a number, a date or a timestamp.',
        })
    }
    const [row] = await session.query<'value'>(`SELECT (${sql})::pg_catalog.text AS value`, signal)
    return row!.value!
  }

  /** A value beside the column, so that it is compared by the column's own collation. */
  #collated(text: string): string {
    return `(SELECT ${this.column} AS v FROM ${this.#table} WHERE false UNION ALL SELECT ${this.value(text)})`
  }

  #least(): string {
    const least: { readonly [cast: string]: string } = {
      [qualified({ namespace: 'pg_catalog', name: 'int2' })]: '-32768',
      [qualified({ namespace: 'pg_catalog', name: 'int4' })]: '-2147483648',
    }
    return least[this.#cast] ?? '-9223372036854775808'
  }
}
