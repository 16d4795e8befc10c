import { describe, expect, it } from 'vitest'
import { createByteBudget } from '#src/pipeline/budget.js'

const never = new AbortController().signal
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('D5: the byte budget', () => {
  it('grants at once what fits, and counts it', async () => {
    const budget = createByteBudget(100)
    const lease = budget.lease()
    await lease.resize(60, never)
    expect(budget.used).toBe(60)
    lease.release()
    expect(budget.used).toBe(0)
  })

  it('lets a lease wait until another gives back', async () => {
    const budget = createByteBudget(100)
    const held = budget.lease(async () => {})
    await held.resize(80, never)
    const writing = budget.lease(async () => {
      await turn()
      held.release()
    })
    const waiting = budget.lease()
    await writing.resize(10, never)
    let granted = false
    const grant = waiting.resize(50, never).then(() => {
      granted = true
    })
    await turn()
    held.release()
    await grant
    expect(granted).toBe(true)
    expect(budget.used).toBeLessThanOrEqual(100)
  })

  it('asks the largest holder to give back', async () => {
    const budget = createByteBudget(100)
    const asked: string[] = []
    const small = budget.lease(async () => {
      asked.push('small')
      small.release()
    })
    const large = budget.lease(async () => {
      asked.push('large')
      large.release()
    })
    await small.resize(20, never)
    await large.resize(70, never)
    await budget.lease().resize(50, never)
    expect(asked).toEqual(['large'])
    expect(budget.used).toBe(70)
  })

  it('serves waiters in their order, a small one does not overtake', async () => {
    const budget = createByteBudget(100)
    const held = budget.lease(() => turn().then(() => held.release()))
    await held.resize(90, never)
    const order: string[] = []
    await Promise.all([
      budget
        .lease()
        .resize(60, never)
        .then(() => order.push('first')),
      budget
        .lease()
        .resize(5, never)
        .then(() => order.push('second')),
    ])
    expect(order).toEqual(['first', 'second'])
  })

  it('passes one oversized value alone instead of stopping for ever', async () => {
    const budget = createByteBudget(100)
    await budget.lease().resize(1000, never)
    expect(budget.used).toBe(1000)
  })

  it('does not stop for ever when the largest holder gives nothing back', async () => {
    const budget = createByteBudget(100)
    await budget.lease(async () => {}).resize(90, never)
    await budget
      .lease(async () => {
        throw new Error('cannot')
      })
      .resize(10, never)
    await budget.lease().resize(50, never)
    expect(budget.used).toBe(150)
  })

  it('does not stop for ever when those who hold wait for one another', async () => {
    const budget = createByteBudget(100)
    // Two batches are held while what writes them asks for as much again.
    await Promise.all([budget.lease().resize(50, never), budget.lease().resize(50, never)])
    const files = [budget.lease(async () => {}), budget.lease(async () => {})]
    await Promise.all(files.map((file) => file.resize(50, never)))
    expect(budget.used).toBe(200)
  })

  it('forgets a waiter whose signal aborts', async () => {
    const budget = createByteBudget(100)
    const held = budget.lease(() => new Promise(() => {}))
    await held.resize(90, never)
    const abort = new AbortController()
    const waiting = budget.lease().resize(50, abort.signal)
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    held.release()
    expect(budget.used).toBe(0)
  })
})
