/** What somebody holds of a byte budget. */
export interface BudgetLease {
  /** What is held now. */
  readonly bytes: number
  /**
   * Holds so many bytes from now on. A smaller number is granted at once. A larger one waits while the budget is short, after
   * asking the largest holder to give back; it rejects when the signal aborts. A lease that holds nothing is always granted
   * something, so that one oversized value cannot stop a run for ever.
   */
  resize(bytes: number, signal: AbortSignal): Promise<void>
  /** Gives everything back. Calling it again does nothing. */
  release(): void
}

/** One byte budget per run: it covers batches, row groups and upload parts of all open files. */
export interface ByteBudget {
  readonly limit: number
  readonly used: number
  /**
   * A lease of 0 bytes. `relieve` is called, one call at a time, when this lease is the largest and somebody waits: the holder
   * then closes what it has open early and shrinks the lease. Without `relieve` the lease is left alone.
   */
  lease(relieve?: () => Promise<void>): BudgetLease
}
