import { defineSource, type Normalizer, stream, typedNormalizer } from 'syncline'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { world } from './world.js'

it('D5: large rejected records do not gather in memory', async () => {
  const sizes: number[] = []
  const typed = typedNormalizer()
  const normalizer: Normalizer = {
    ...typed,
    open(...args) {
      const inner = typed.open(...args)
      const normalize: typeof inner.normalize = (input, context) => {
        if (input.type === 'rejected_rows') {
          sizes.push(input.rows.reduce((sum, { record = '' }) => sum + record.length, 0))
        }
        return inner.normalize(input, context)
      }
      return {
        tables: () => inner.tables(),
        schema: () => inner.schema(),
        projection: () => inner.projection(),
        normalize,
      }
    },
  }
  const records = Array.from({ length: 40 }, () => ({ id: 'x'.repeat(1 << 18) as unknown as number }))
  const source = defineSource({ name: 'own', streams: { big: stream({ schema: z.object({ id: z.int() }), records }) } })
  const { rejected } = await world().pipeline({ source, normalizer }).run()
  expect(rejected).toBe(40)
  expect(Math.max(...sizes)).toBeLessThan(2 << 20)
})
