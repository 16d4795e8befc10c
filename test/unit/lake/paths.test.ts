import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fileNamePart, keyPart } from '#src/toolkit/lake/key-names.js'
import { DEFAULT_PATH, expandPath, pathTemplateProblem } from '#src/toolkit/lake/path-template.js'

const at = new Date('2026-01-02T03:04:05.678Z')

describe('path templates', () => {
  test('the default, with and without a namespace', () => {
    expect(expandPath(DEFAULT_PATH, { namespace: 'public', name: 'users', at })).toBe('public/users')
    expect(expandPath(DEFAULT_PATH, { namespace: undefined, name: 'users', at })).toBe('users')
  })

  test('all variables, in UTC', () => {
    const template =
      'a//${NAMESPACE}/${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}/${HOUR}-${MINUTE}-${SECOND}-${MILLISECOND}/${EPOCH}/${UUID}'
    expect(pathTemplateProblem(template)).toBeUndefined()
    expect(expandPath(template, { namespace: 'n', name: 's', at })).toMatch(
      /^a\/n\/s\/2026_01_02\/03-04-05-0678\/1767323045678\/[0-9a-f-]{36}$/,
    )
  })

  test.each([
    ['${STREM_NAME}', 'Unknown variable ${STREM_NAME} (did you mean ${STREAM_NAME}?)'],
    ['a/${', 'Unknown variable'],
    ['/absolute', 'relative'],
    ['a/../b', '..'],
    ['_syncline/x', 'commit records'],
    ['a\\b', 'backslashes'],
  ])('%s is refused', (template, problem) => {
    expect(pathTemplateProblem(template)).toContain(problem)
  })

  test('no name leads out of the lake, into its control objects, or into the place of another name', () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '../x',
        'a/b',
        '/',
        '\\',
        '\0',
        '_syncline',
        '',
        ' ',
        'a.',
        '*',
        '😀',
        '\ud800',
        '%',
        '%2E%2E',
        'CON',
      ),
      fc.string({ unit: 'binary', maxLength: 300 }),
    )
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        for (const name of [a, b]) {
          const parts = expandPath('${STREAM_NAME}', { namespace: undefined, name, at }).split('/')
          expect(parts).toHaveLength(1)
          expect(['', '.', '..', '_syncline']).not.toContain(parts[0])
          expect(parts[0]).not.toMatch(/[\p{Cc}\\*?[\]]/u)
          expect(Buffer.byteLength(parts[0]!)).toBeLessThanOrEqual(255)
        }
        if (a !== b) expect(keyPart(a)).not.toBe(keyPart(b))
      }),
      { numRuns: 2000 },
    )
  })
})

test('long and odd ids become file names that differ', () => {
  const long = 'x'.repeat(500)
  expect(fileNamePart('0a1b2c3d-1111-4222-8333-444455556666')).toBe('0a1b2c3d-1111-4222-8333-444455556666')
  expect(fileNamePart(`${long}1`)).not.toBe(fileNamePart(`${long}2`))
  expect(fileNamePart('a/b')).not.toBe(fileNamePart('a-b'))
  for (const id of [long, 'a/b', '../..', '']) expect(fileNamePart(id)).toMatch(/^[A-Za-z0-9-]{1,57}$/)
})
