import pg from 'pg'

/** Any name, safe inside SQL. */
export const identifier = (name: string): string => pg.escapeIdentifier(name)

export const qualified = (name: { readonly namespace: string; readonly name: string }): string =>
  `${identifier(name.namespace)}.${identifier(name.name)}`

/** Any text, safe inside SQL; `COPY` takes no parameters. */
export const literal = (text: string): string => pg.escapeLiteral(text)

/** A list for a parameter that is cast to `text[]` by `json_array_elements_text`. */
export const jsonList = (values: readonly string[]): string => JSON.stringify(values)
