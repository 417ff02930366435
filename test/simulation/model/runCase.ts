/**
 * Runs a case from its first life to its end, and says what went wrong.
 *
 * @module
 */
import { Effect } from "effect"
import { failOnce, type Interpose } from "../../../src/drivers/memory/MemoryHub.ts"
import { type LifeOptions, live, makeWorld, rowsOf, type World } from "../World.ts"
import type { SeenAck } from "./brokenAcks.ts"
import type { Case } from "./Case.ts"
import { judge } from "./judge.ts"
import { type LateWrite, lateWrites } from "./lateWrites.ts"
import { rollFrom } from "./Roll.ts"
import { fill, functionsOf, wireOf } from "./wireOf.ts"

/** How many lives that nobody kills a run may need: a fault that is not repeated ends one. */
const livesMost = 6

const start = Date.UTC(2026, 0)
const betweenLivesMs = 1000
/** No life of a case needs as many. */
const callsMost = 5000

export interface Ran {
  /** Each broken promise as a sentence. */
  readonly broken: ReadonlyArray<string>
  /** How many lives were killed. */
  readonly killed: number
}

export const runCase = async (of: Case): Promise<Ran> => {
  const world = makeWorld((hub) => fill(of, hub))
  const acks: Array<SeenAck> = []
  world.watch = (call) =>
    Effect.sync(() => {
      if (call.operation !== "source.ack" || call.phase !== "after") return
      const position = Number(world.hub.sources.get(call.name)!.acks.at(-1))
      acks.push({ source: call.name, position, rows: rowsOf(world).length })
    })
  const meddle = meddling(of)
  const next = (late: number | null, ends: Pick<LifeOptions, "dieAt" | "stopAt"> = {}) => {
    const at = Math.max(start, ...world.log.rows().map((row) => row.at)) + betweenLivesMs
    const sent = late === null ? [] : lateWrites(of, world)
    world.meddle = meddle(sent[(late ?? 0) % sent.length], late ?? 0)
    return live(world, wireOf(of), { at, functions: functionsOf(of), ...ends })
  }

  let killed = 0
  let late: number | null = null
  for (const death of of.deaths) {
    if (isOver(world)) break
    const life = await next(late, death.how === "killed" ? { dieAt: death.at } : { stopAt: death.at })
    if (life._tag === "Killed") killed++
    late = death.late
  }
  for (let lives = 0; lives < livesMost && !isOver(world); lives++) await next(lives === 0 ? late : null)
  const ended = isOver(world) ? judge(of, world, acks) : ["the run does not come to its end"]
  return { broken: [...unprovoked(world), ...ended], killed }
}

/** A life ends early where it is killed or where a call has failed, and nowhere else. */
const unprovoked = (world: World): ReadonlyArray<string> =>
  rowsOf(world).flatMap(({ payload, type }) => {
    if (type !== "Crashed" && type !== "Failed") return []
    const { reason } = JSON.parse(payload) as {
      readonly reason: { readonly code: string; readonly message: string }
    }
    const provoked = ["injected", "interrupted", "process_lost", tooMany].includes(reason.code)
    return provoked ? [] : [`${type}: ${reason.code} ${reason.message}`]
  })

const isOver = (world: World): boolean =>
  rowsOf(world).some(
    ({ payload, type }) => type === "Completed" || (type === "Failed" && codeOf(payload) === tooMany)
  )

const tooMany = "dead_letter_threshold"
const codeOf = (payload: string): string =>
  (JSON.parse(payload) as { readonly reason: { readonly code: string } }).reason.code

/** Some calls take their time, each fault strikes once, and a late write lands at one call of a life. */
const meddling = (of: Case) => {
  const roll = rollFrom(of.pace)
  const faults = of.faults.map(failOnce)
  return (late: LateWrite | undefined, landsAt: number): Interpose => {
    let calls = 0
    return (call) =>
      Effect.gen(function* () {
        if (calls > callsMost) return yield* Effect.die(new Error("it calls its drivers for ever"))
        if (calls++ === landsAt && late !== undefined) yield* late
        // In a time of its own: it only changes who comes first.
        if (roll.oneIn(4)) yield* Effect.sleep(roll.below(60))
        for (const strike of faults) yield* strike(call)
      })
  }
}
