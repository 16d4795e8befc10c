export const count = (value: number) => value.toLocaleString('en-US')
export const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`

export function size(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** Columns under their names; texts to the left, the rest to the right. */
export function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = names.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`
  return [line(names), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n')
}
