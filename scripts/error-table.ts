import { ERROR_CODES } from '#src/errors/codes.js'

/** The table of docs/errors.md, from the codes themselves. */
export function errorTable(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, [retry, meaning]]) => `| \`${code}\` | ${retry} | ${meaning} |`)
  return ['| code | retry | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

const START = '<!-- codes: written by `npm run api` -->'
const END = '<!-- end of codes -->'

/** A page with the table in its place, between the two marks. */
export function withErrorTable(page: string): string {
  const start = page.indexOf(START)
  const end = page.indexOf(END)
  if (start === -1 || end === -1) throw new Error(`docs/errors.md has lost its marks: ${START} and ${END}`)
  return `${page.slice(0, start + START.length)}\n\n${errorTable()}\n\n${page.slice(end)}`
}
