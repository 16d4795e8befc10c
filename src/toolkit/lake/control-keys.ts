import type { ScopeRef } from '../../model/state.js'
import { keyPart } from './key-names.js'

/** Where everything is that is no data. Engines ignore names that begin with `_`. */
export const CONTROL = '_syncline'

const DIGITS = 12

/** The keys of one scope's control objects. */
export class ControlKeys {
  readonly prefix: string

  constructor({ pipeline, scope }: ScopeRef) {
    this.prefix = `${CONTROL}/${keyPart(pipeline)}/${keyPart(scope)}/`
  }

  record(version: number): string {
    return `${this.prefix}${digits(version)}.json`
  }

  /** Says that everything which a record asks for has been done. */
  settled(version: number): string {
    return `${this.prefix}${digits(version)}.settled.json`
  }

  pending(token: string): string {
    return `${this.pendingPrefix}${token}.json`
  }

  get pendingPrefix(): string {
    return `${this.prefix}pending/`
  }

  get lock(): string {
    return `${this.prefix}_lock`
  }

  /** Records and their marks come first among the keys below the prefix. */
  isPastRecords(key: string): boolean {
    return key.slice(this.prefix.length) > ':'
  }

  /** What a key below the prefix is, if it is a record or its mark. */
  parse(key: string): { readonly version: number; readonly kind: 'record' | 'settled' } | undefined {
    const [, version, settled] = /^(\d{12})(\.settled)?\.json$/.exec(key.slice(this.prefix.length)) ?? []
    if (version === undefined) return undefined
    return { version: Number(version), kind: settled === undefined ? 'record' : 'settled' }
  }
}

const digits = (version: number) => version.toString().padStart(DIGITS, '0')
