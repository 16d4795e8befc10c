/** Names as a text, at most so many of them, and how many more there are. */
export function shortList(names: readonly string[], most: number): string {
  const more = names.length - most
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
