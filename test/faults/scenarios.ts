import { type ErrorCode, SynclineError } from 'syncline'
import { abortAt, failAt, forSeeds, killAt, seededRandom, strikeAt } from 'syncline/testing'
import { World, type WorldOptions } from './harness.js'

/** Disturbs the runs of a world, and tells in words what came out wrong: nothing, where all parts keep their promises. */
export type Scenario = (world: World) => Promise<string[]>

/** A run of a shop has a few hundred moments; what comes too late disturbs nothing. */
function someMoment({ random }: World): number {
  return random.int(1, random.pick([60, 250, 600]))
}

/** Two more runs, with life between them, after which nothing may be missing or doubled. */
async function goOn(world: World): Promise<string[]> {
  const problems = [...(await world.runToSuccess()), ...world.differences({ refreshed: false })]
  world.shop.live()
  problems.push(...(await world.runToSuccess()), ...world.differences())
  return [...problems, ...world.allViolations()]
}

export const killed: Scenario = async (world) => {
  const { random, shop } = world
  const problems: string[] = []
  for (let kills = random.int(1, 4); kills > 0; kills--) {
    await world.run(killAt(someMoment(world)))
    problems.push(...world.unseemly())
    // Beside a state store, what is read again has the same ids only where it is the same.
    if (world.storesState && random.chance(0.7)) shop.live()
    if (random.chance(0.3)) shop.tables.endEpochs()
  }
  return [...problems, ...(await goOn(world))]
}

export const aborted: Scenario = async (world) => {
  const { random, shop } = world
  const problems: string[] = []
  for (let aborts = random.int(1, 3); aborts > 0; aborts--) {
    const controller = new AbortController()
    const outcome = await world.run(abortAt(someMoment(world), controller), controller.signal)
    const status = outcome.kind === 'ended' ? outcome.result.status : outcome.kind
    if (status !== 'cancelled' && status !== 'succeeded') problems.push(`an aborted run ends as ${status}`)
    problems.push(...world.unseemly(), ...world.allViolations())
    if (world.storesState && random.chance(0.5)) shop.live()
  }
  return [...problems, ...(await goOn(world))]
}

function failing(code: ErrorCode): () => Error {
  return () => new SynclineError(code, 'The test made this call fail.')
}

/** A call fails once, with an error that passes: the very run succeeds. */
export const passingFailure: Scenario = async (world) => {
  const problems: string[] = []
  for (let run = 0; run < 3; run++) {
    const outcome = await world.run(failAt(someMoment(world), failing('SOURCE_CONNECTION_LOST')))
    if (outcome.kind === 'killed') continue
    for (const { stream, status, error } of outcome.result.streams) {
      if (status !== 'succeeded') problems.push(`${stream.name} ${status}: ${error?.message}`)
    }
    problems.push(...world.differences())
    world.shop.live()
  }
  return [...problems, ...(await goOn(world))]
}

/** A call fails once, with an error that only a person can mend: the next run goes on. */
export const lastingFailure: Scenario = async (world) => {
  const problems: string[] = []
  for (let run = 0; run < 3; run++) {
    await world.run(failAt(someMoment(world), failing('DESTINATION_PERMISSION_DENIED')))
    problems.push(...world.unseemly())
    if (world.storesState && world.random.chance(0.5)) world.shop.live()
  }
  return [...problems, ...(await goOn(world))]
}

/** Snapshots go while a run reads, and the tables change under it. */
export const epochLost: Scenario = async (world) => {
  const outcome = await world.run(
    strikeAt(world.random.int(1, 250), () => {
      world.shop.tables.endEpochs()
      world.shop.live()
    }),
  )
  const status = outcome.kind === 'ended' ? outcome.result.status : outcome.kind
  const problems = status === 'succeeded' ? [] : [`a run that lost its epoch ends as ${status}`]
  return [...problems, ...world.unseemly(), ...(await goOn(world))]
}

/** Pieces of open generations are gone from the destination: their streams begin anew, in the very next run. */
export const generationLost: Scenario = async (world) => {
  for (let round = 0; round < 3; round++) {
    await world.run(killAt(someMoment(world)))
    world.store.generations.clear()
  }
  return [...world.unseemly(), ...(await goOn(world))]
}

/** Two processes run the same pipeline at once; at least one loses. */
export const twoAtOnce: Scenario = async (world) => {
  for (let round = 0; round < 2; round++) {
    await Promise.all([world.run(), world.run()])
    world.shop.live()
  }
  return goOn(world)
}

/** Fails with the seed and everything that came out wrong. */
export async function expectSound(
  scenario: Scenario,
  seeds: readonly number[],
  options: WorldOptions = {},
): Promise<void> {
  await forSeeds(seeds, async (random) => {
    const problems = await scenario(new World(random, options))
    if (problems.length > 0) throw new Error(problems.join('\n'))
  })
}

/** The first seed at which something comes out wrong, and what. */
export async function caught(
  scenario: Scenario,
  seeds: readonly number[],
  options: () => WorldOptions,
): Promise<string | undefined> {
  for (const seed of seeds) {
    const world = new World(seededRandom(seed), options())
    const problems = await scenario(world).catch((error: unknown) => [String(error)])
    if (problems.length > 0) return `seed ${seed}: ${problems.join(', ')}`
  }
  return undefined
}
