/** The name that a misspelt one was probably meant to be, if any is near: at least one letter of it is right. */
export function closestName(word: string, names: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.min(word.length, Math.max(2, Math.floor(word.length / 3)) + 1)
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase(), least)
    if (distance < least) {
      least = distance
      best = name
    }
  }
  return best
}

/** Levenshtein's distance, or `limit` where it is not less. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return Math.min(row[b.length]!, limit)
}
