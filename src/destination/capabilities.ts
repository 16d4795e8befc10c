import type { FieldKind } from '../model/field-type.js'
import type { SyncModePair } from '../model/sync-mode.js'

/**
 * What a destination can do, as data that shared code reads; nothing switches on a vendor's name.
 */
export interface DestinationCapabilities {
  /** The pairs of sync modes that it can do; all others fail in the pipeline's constructor. */
  readonly modes: readonly SyncModePair[]
  readonly identifiers: IdentifierRules
  readonly types: TypeRules
  /**
   * When a full refresh becomes visible: `atomic` for all at once; `new_before_old` where all new objects appear before the first old
   * one goes, so that a reader in between sees both; `appended` where nothing is replaced and rows are visible as they are published, so
   * that a generation that is given up leaves some.
   */
  readonly visibility: 'atomic' | 'new_before_old' | 'appended'
  /** Formats that its writers take undecoded. */
  readonly nativeFormats?: readonly string[]
  /**
   * True where a writer keeps no reference to the memory of a batch once `write` has returned: the source may then read the next rows into it.
   * Left out: false.
   */
  readonly copiesRows?: boolean
  /** When the pipeline seals and publishes what it has. A seal may cost a file. */
  readonly cadence: Cadence
  /** Whether the destination keeps the raw table of the basic normalizer beside the flat ones by default. */
  readonly rawTables?: boolean
}

/** Publish after so many bytes or so long, whichever comes first. */
export interface Cadence {
  readonly bytes: number
  readonly milliseconds: number
}

export interface IdentifierRules {
  /** Longest name, in UTF-8 bytes. */
  readonly maxBytes: number
  /** Whether names that differ only in case are different. */
  readonly caseSensitive: boolean
  /** Characters (a regular expression's class content) that are replaced by `_`; left out: none. */
  readonly illegal?: string
  /** Lower case is imposed on every name. */
  readonly lowerCase?: boolean
}

export interface TypeRules {
  /** Kinds that it cannot hold as such; they become text. */
  readonly asText: readonly FieldKind[]
  /** The widest decimal; wider ones become text, and so do unbounded ones unless it is `Infinity`. */
  readonly maxDecimalPrecision: number
}
