/**
 * Runs a case from its first life to its end, and says what went wrong.
 *
 * @module
 */
import { Effect } from "effect"
import { failOnce, type Interpose } from "../../../src/drivers/memory/MemoryHub.ts"
import { live, makeWorld, rowsOf, type World } from "../World.ts"
import type { Case } from "./Case.ts"
import { judge, type SeenAck } from "./judge.ts"
import { rollFrom } from "./Roll.ts"
import { fill, functionsOf, wireOf } from "./wireOf.ts"

/** How many lives that nobody kills a run may need: a fault that is not repeated ends one. */
const livesMost = 6

const start = Date.UTC(2026, 0)
const betweenLivesMs = 1000

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
  world.meddle = meddle(of)
  const next = (dieAt?: number) => {
    const at = Math.max(start, ...world.log.rows().map((row) => row.at)) + betweenLivesMs
    const options = { at, functions: functionsOf(of) }
    return live(world, wireOf(of), dieAt === undefined ? options : { ...options, dieAt })
  }

  let killed = 0
  for (const dieAt of of.deaths) {
    if (isOver(world)) break
    if ((await next(dieAt))._tag === "Killed") killed++
  }
  for (let lives = 0; lives < livesMost && !isOver(world); lives++) await next()
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
    const provoked = ["injected", "interrupted", "process_lost"].includes(reason.code)
    return provoked ? [] : [`${type}: ${reason.code} ${reason.message}`]
  })

const isOver = (world: World): boolean => rowsOf(world).some(({ type }) => type === "Completed")

/** Some calls take their time, and each fault strikes once. */
const meddle = (of: Case): Interpose => {
  const roll = rollFrom(of.pace)
  const faults = of.faults.map(failOnce)
  return (call) =>
    Effect.gen(function* () {
      // On a clock that nobody waits for: it only changes who comes first.
      if (roll.oneIn(4)) yield* Effect.sleep(roll.below(60))
      for (const strike of faults) yield* strike(call)
    })
}
