/**
 * Where a replay begins, and what it would do, told from the log of a run that was cut off once.
 *
 * @module
 */
import { Effect, Result, Schema } from "effect"
import { assert, describe, it } from "vitest"
import { statusOf } from "../../../src/api/failures.ts"
import { ReplayImpact } from "../../../src/api/lifecycle.ts"
import { EventLog } from "../../../src/log/EventLog.ts"
import * as PipelineActor from "../../../src/pipeline/PipelineActor.ts"
import type { ReplayRequest } from "../../../src/pipeline/replay/ReplayRequest.ts"
import { planReplay, type ReplayPlan } from "../../../src/pipeline/replay/replay.ts"
import { replayPipeline } from "../../../src/server/replayPipeline.ts"
import { topologies } from "../../simulation/topologies.ts"
import { live, makeWorld, rowsOf, type World } from "../../simulation/World.ts"

const topology = topologies.letters!

const completed = async (dieAt?: number): Promise<World> => {
  const world = makeWorld((hub) => topology.fill(hub))
  if (dieAt !== undefined) await live(world, topology.definition, { dieAt })
  await live(world, topology.definition)
  return world
}

const planned = (world: World, request: ReplayRequest) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* world.log.open
        const id = rowsOf(world)[0]!.stream.slice("pipeline/".length)
        return yield* Effect.result(planReplay(log, id, request))
      })
    )
  )
const plan = async (world: World, request: ReplayRequest): Promise<ReplayPlan> =>
  Result.getOrThrow(await planned(world, request))
const refusal = async (world: World, request: ReplayRequest): Promise<string | undefined> => {
  const result = await planned(world, request)
  return Result.isFailure(result) && result.failure._tag === "Rejection" ? result.failure.code : undefined
}

const events = (world: World) => rowsOf(world).map((row) => ({ ...row, event: JSON.parse(row.payload) }))
const first = (world: World, type: string) => events(world).find((row) => row.type === type)!

describe("where a replay begins", () => {
  it("start is where the run has read nothing", async () => {
    const world = await completed()
    const { impact, setBack } = await plan(world, { from: "start" })
    assert.strictEqual(impact.version, first(world, "RunStarted").version)
    assert.deepStrictEqual(setBack.sources, { in: { sealed: null, checkpoint: null } })
    assert.deepStrictEqual(setBack.open, [])
  })

  it("a version inside an append means the end of the append before it", async () => {
    const world = await completed()
    const inside = events(world).filter(
      (row, index, all) =>
        row.version > first(world, "RunStarted").version && all[index + 1]?.causationId != null
    )
    assert.isNotEmpty(inside, "several batches were confirmed at once")
    for (const { version } of inside) {
      const { impact } = await plan(world, { from: { version } })
      assert.isBelow(impact.version, version)
      assert.isNull(rowsOf(world)[impact.version]!.causationId, "what follows began an append")
    }
  })

  it("a checkpoint of a batch is the first version that has it", async () => {
    const world = await completed()
    for (const batch of [0, 1, 2, 3]) {
      const { impact, setBack } = await plan(world, { from: { checkpoint: { batch } } })
      assert.isAtLeast(setBack.sources.in!.checkpoint!.batch, batch)
      const earlier = await plan(world, { from: { version: impact.version - 1 } })
      assert.isBelow(earlier.setBack.sources.in?.checkpoint?.batch ?? -1, batch)
    }
  })

  it("a checkpoint of an offset is the furthest that does not pass it", async () => {
    const world = await completed()
    for (const offset of [0, 2, 3, 7, 12]) {
      const { impact } = await plan(world, { from: { checkpoint: { source: "in", offset } } })
      assert.isAtMost(impact.sources[0]!.offset, offset)
      assert.strictEqual(impact.sources[0]!.records, 12 - impact.sources[0]!.offset)
    }
    const all = await plan(world, { from: { checkpoint: { source: "in", offset: 12 } } })
    assert.strictEqual(all.impact.sources[0]!.offset, 12)
  })

  it("a time is the last version that is not later", async () => {
    const world = await completed()
    const { impact } = await plan(world, { from: { time: Number.MAX_SAFE_INTEGER } })
    assert.strictEqual(impact.version, rowsOf(world).length)
    assert.strictEqual(await refusal(world, { from: { time: 0 } }), "outside_run")
  })

  it("is refused with a reason where there is no such place", async () => {
    const world = await completed()
    const unknown = { checkpoint: { source: "nowhere", offset: 0 } }
    assert.strictEqual(await refusal(world, { from: { version: 10_000 } }), "unknown_version")
    assert.strictEqual(await refusal(world, { from: { version: 1 } }), "outside_run")
    assert.strictEqual(await refusal(world, { from: { checkpoint: { batch: 99 } } }), "unknown_checkpoint")
    assert.strictEqual(await refusal(world, { from: unknown }), "unknown_checkpoint")
    assert.strictEqual(await refusal(world, { from: "start", stage: "none" }), "unknown_stage")
  })

  it("is nowhere in what was left out when the run was set back before", async () => {
    const world = await completed()
    const start = first(world, "RunStarted").version
    await live(world, topology.definition, { replay: { from: "start" } })
    const again = first(world, "RunSetBack").version
    assert.strictEqual(await refusal(world, { from: { version: start + 3 } }), "set_back_before")
    assert.strictEqual((await plan(world, { from: "start" })).impact.version, start)
    assert.isAtLeast((await plan(world, { from: { version: again + 20 } })).impact.version, again)
  })

  it("is not for other sinks while the run was replayed for some alone", async () => {
    const world = await completed()
    await live(world, topology.definition, { replay: { from: "start", stage: "mapped" } })
    const inside = { from: { version: rowsOf(world).length } }
    assert.strictEqual(await refusal(world, inside), "set_back_before")
    assert.strictEqual(await refusal(world, { ...inside, stage: "plain" }), "set_back_before")
    assert.isUndefined(await refusal(world, { ...inside, stage: "mapped" }))
    // The boundaries of the others are left out, so their keys cannot be given again; new ones can.
    assert.strictEqual(await refusal(world, { from: "start", generation: "same" }), "set_back_before")
    assert.isUndefined(await refusal(world, { from: "start" }))
  })
})

describe("what a replay would do", () => {
  it("counts keys, records and letters from the log, and appends nothing", async () => {
    const world = await completed()
    const rows = rowsOf(world).length
    const next = await plan(world, { from: "start" })
    assert.strictEqual(next.impact.generation, 1)
    assert.strictEqual(next.impact.lettersVoided, topology.letters.length)
    assert.deepStrictEqual(next.impact.sources, [{ source: "in", offset: 0, records: 12 }])
    assert.deepStrictEqual(next.impact.sinks, [
      { stage: "plain", suppressed: 0, rewritten: 4, new: 0 },
      { stage: "mapped", suppressed: 0, rewritten: 4, new: 0 }
    ])
    const same = await plan(world, { from: "start", generation: "same", stage: "mapped" })
    assert.strictEqual(same.impact.generation, 0)
    assert.strictEqual(same.impact.lettersVoided, 0)
    assert.deepStrictEqual(same.impact.sinks, [{ stage: "mapped", suppressed: 4, rewritten: 0, new: 0 }])
    assert.strictEqual(rowsOf(world).length, rows)
  })

  it("opens the same batches again with every attempt at them, and only those", async () => {
    const world = await completed(60)
    const { setBack } = await plan(world, { from: "start", generation: "same" })
    const attempts = new Map<number, Array<string>>()
    for (const { event } of events(world)) {
      if (event._tag !== "BatchSealed") continue
      attempts.set(event.batch, [...(attempts.get(event.batch) ?? []), `${event.attempt}`])
    }
    assert.deepStrictEqual(
      new Map(setBack.open.map((batch) => [batch.batch, Object.keys(batch.attempts)])),
      attempts
    )
    assert.isTrue(
      [...attempts.values()].some(({ length }) => length > 1),
      "something was sealed twice"
    )
    assert.strictEqual(setBack.counts.read, 12)
    assert.strictEqual(setBack.sources.in?.sealed?.offset, 12)
  })
})

describe("over HTTP", () => {
  const asked = (world: World, payload: Parameters<typeof replayPipeline>[2]) =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const log = yield* world.log.open
          const id = rowsOf(world)[0]!.stream.slice("pipeline/".length)
          const actor = yield* Effect.provideService(PipelineActor.make(id), EventLog, log)
          return yield* Effect.result(replayPipeline(actor, log, payload, "token"))
        })
      )
    )
  const code = async (world: World, payload: Parameters<typeof replayPipeline>[2]) => {
    const result = await asked(world, payload)
    return Result.isFailure(result)
      ? [statusOf(result.failure.error_code), result.failure.error_code]
      : undefined
  }

  it("answers a dry run as the contract has it", async () => {
    const result = Result.getOrThrow(await asked(await completed(), { from: {}, dry_run: true }))
    const impact = Schema.decodeUnknownSync(ReplayImpact)(result)
    assert.deepInclude(impact, { generation: 1, stages: ["plain", "mapped"], dead_letters_voided: 4 })
    assert.deepStrictEqual(impact.keys, { suppressed: 0, rewritten: 8, new: 0 })
  })

  it("accepts once, and then the run is waiting", async () => {
    const world = await completed()
    const result = Result.getOrThrow(await asked(world, { from: { stage: "plain" }, reason: "mended" }))
    assert.deepInclude(result, { status: 202 })
    const { event, by } = events(world).at(-1)!
    assert.deepInclude(event, { _tag: "RunSetBack", reason: "mended", fromStage: "plain" })
    assert.strictEqual(by, "token")
    assert.deepStrictEqual(await code(world, { from: { stage: "plain" } }), [409, "UnfinishedRun"])
  })

  it("refuses with the status of its reason", async () => {
    const world = await completed()
    assert.deepStrictEqual(await code(world, { from: { version: 1, checkpoint: 1 } }), [400, "InvalidReplay"])
    assert.deepStrictEqual(await code(world, { from: { version: 9999 } }), [404, "UnknownVersion"])
    assert.deepStrictEqual(await code(world, { from: { stage: "none" } }), [404, "UnknownStage"])
    assert.deepStrictEqual(await code(world, { from: { checkpoint: 99 } }), [400, "InvalidReplay"])
  })
})
