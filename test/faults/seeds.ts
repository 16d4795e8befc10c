/** About 20 seeds per fault, or as many as `SYNCLINE_SEEDS` says (that `share` of it, for slow tests); `SYNCLINE_SEED` repeats one alone. */
export function seeds(usual = 20, share = 1): number[] {
  const one = process.env['SYNCLINE_SEED']
  if (one !== undefined) return [Number(one)]
  const soak = process.env['SYNCLINE_SEEDS']
  const count = soak === undefined ? usual : Math.ceil(Number(soak) * share)
  // A soak should not repeat what `npm test` does.
  const first = soak === undefined ? 1 : Math.floor(Date.now() % 1e9)
  if (first !== 1) process.stdout.write(`seeds ${first} to ${first + count - 1}\n`)
  return Array.from({ length: count }, (_, index) => first + index)
}
