import { expect, test } from 'vitest'
import { sourceFiles } from './source-files.js'

/** What a library embedded in somebody else's program must leave alone. */
const FORBIDDEN: { readonly [what: string]: RegExp } = {
  'process-wide listeners': /\bprocess\s*\.\s*(on|once|addListener|prependListener)\b/,
  'the environment': /\bprocess\s*\.\s*env\b/,
  'ending the host': /\bprocess\s*\.\s*(exit|abort|exitCode)\b/,
  'the working directory': /\bprocess\s*\.\s*chdir\b/,
  'the console': /\bconsole\s*\.\s*\w+\(/,
}

const files = sourceFiles()

test.each(Object.entries(FORBIDDEN))('src/ does not touch %s', (_, pattern) => {
  const touching = files.filter((file) => pattern.test(withoutComments(file.text))).map((file) => file.path)
  expect(touching).toEqual([])
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}
