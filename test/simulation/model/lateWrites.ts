/**
 * Requests of a process that is gone, which are still on their way.
 *
 * @module
 */
import { Effect } from "effect"
import { readLog } from "../oracles.ts"
import { rowsOf, type World } from "../World.ts"
import type { Case } from "./Case.ts"
import { expectedOf } from "./expectedOf.ts"
import { onWire } from "./wireOf.ts"

/** Lands; an answer is of no interest to anybody. */
export type LateWrite = Effect.Effect<void>

/**
 * What a process that has just died may have sent. A sink is asked for one batch after the other, so of each
 * source that is the first batch it does not hold: any attempt at it that is sealed. A sink that refuses
 * records takes nothing of a request that holds one, so those are left out.
 */
export const lateWrites = (of: Case, world: World): ReadonlyArray<LateWrite> => {
  const pipeline = rowsOf(world)[0]?.stream.slice("pipeline/".length)
  const sent = new Set<string>()
  const log = readLog(world)
  const { expected } = expectedOf(of, log)
  return [...log.batches].flatMap(([ordinal, { branches, count, end, source }]) =>
    [...branches].flatMap(([stage, { sealed, winner }]) => {
      const key = `${pipeline}/0/${ordinal}/${stage}`
      const lane = `${source} ${stage}`
      if (winner !== undefined || sent.has(lane) || world.hub.sink(stage).held(key) !== undefined) return []
      sent.add(lane)
      const records = (expected.get(source) ?? [])
        .slice(end - count, end)
        .flatMap(({ fates, id }) => (fates.get(stage)?.pieces ?? []).map((piece) => onWire(id, piece)))
      return [...sealed].flatMap(([attempt, counted]) =>
        counted.records === records.length
          ? [land(world, stage, { key, batch: ordinal, attempt, records })]
          : []
      )
    })
  )
}

interface Request {
  readonly key: string
  readonly batch: number
  readonly attempt: number
  readonly records: ReadonlyArray<unknown>
}

const land = (world: World, stage: string, request: Request): LateWrite =>
  Effect.gen(function* () {
    const opening = { epoch: 1, run: "", receipt: null, leftover: null, finished: false }
    const writer = yield* Effect.scoped(world.hub.sink(stage).open(opening))
    yield* writer.write(request)
  }).pipe(Effect.ignore)
