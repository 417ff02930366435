/**
 * When a run may be set back, as data.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { EventOf, PipelineEvent } from "../../../events/PipelineEvent.ts"
import { evolve, replay } from "../../../projections/PipelineState.ts"
import { type Lifecycle, lifecycles } from "../../../projections/transitions.ts"
import { decide } from "../../../src/pipeline/decide.ts"
import * as Events from "../../fixtures/events.ts"
import { given } from "../given.ts"

const counts = { read: 0, delivered: 0, filtered: 0, unrouted: 0, lettered: 0, batches: 0, applied: {} }
const setBack: Omit<EventOf<"RunSetBack">, "_tag"> = {
  run: "r1",
  version: 3,
  reason: "asked",
  generation: 1,
  fromStage: null,
  branches: null,
  sources: { in: { sealed: null, checkpoint: null } },
  outputs: {},
  counts,
  open: []
}
const command = { _tag: "Replay", life: 1, setBack } as const
const { Completed, Crashed, Failed, Replaying } = Events.lifecycleHistory

describe("a run is set back only at rest", () => {
  const table: Readonly<Record<Lifecycle, string>> = {
    Idle: "nothing_to_replay",
    Scheduled: "nothing_to_replay",
    Triggered: "already_running",
    Running: "already_running",
    Failed: "RunSetBack",
    Crashed: "RunSetBack",
    Replaying: "already_running",
    Completed: "RunSetBack"
  }
  for (const lifecycle of lifecycles) {
    it(`${lifecycle} → ${table[lifecycle]}`, () => {
      const decision = decide(command, replay(Events.lifecycleHistory[lifecycle]))
      const said = Result.isSuccess(decision)
        ? decision.success.map(({ _tag }) => _tag).join()
        : decision.failure.code
      assert.strictEqual(said, table[lifecycle])
    })
  }

  it("also when the schedule has gone on since it completed", () =>
    given(...Completed, { _tag: "Scheduled", tick: "t1", dueAt: 1 })
      .when(command)
      .then({ _tag: "RunSetBack", ...setBack }))

  it("is no run that was given up", () =>
    given(...Completed.slice(0, 3), Events.givenUp)
      .when(command)
      .thenRejected("nothing_to_replay"))

  it("is no run of another definition", () =>
    given(...Completed, { ...Events.defined, signature: "sig-2" })
      .when(command)
      .thenRejected("stale_signature"))

  it("is not one that has had another life since, or another generation", () => {
    given(...Completed)
      .when({ ...command, life: 2 })
      .thenRejected("stale_version")
    given(...Completed)
      .when({ ...command, setBack: { ...setBack, generation: 2 } })
      .thenRejected("stale_version")
    given(...Completed)
      .when({ ...command, setBack: { ...setBack, run: "r0" } })
      .thenRejected("stale_version")
  })

  it("is not set back twice from one look", () =>
    given(...Completed, { _tag: "RunSetBack", ...setBack })
      .when(command)
      .thenRejected("stale_version"))

  it("waits for outputs that only have to be made visible", () => {
    const finished: PipelineEvent = { _tag: "OutputFinished", stage: "a", output: { length: 3 } }
    const published = [...Events.running, finished]
    given(...published, Events.crashed)
      .when(command)
      .thenRejected("unfinished_run")
    given(...published, Events.completed)
      .when(command)
      .then({ _tag: "RunSetBack", ...setBack })
  })

  it("is for some sinks only when the others have everything", () => {
    const some = { ...command, setBack: { ...setBack, fromStage: "a", branches: ["a"] } }
    given(...Failed)
      .when(some)
      .thenRejected("unfinished_run")
    given(...Crashed)
      .when(some)
      .thenRejected("unfinished_run")
    given(...Completed)
      .when(some)
      .then({ _tag: "RunSetBack", ...some.setBack })
    given(...Replaying)
      .when(some)
      .thenRejected("already_running")
  })
})

describe("a run that is set back", () => {
  const done = [
    ...Events.running,
    Events.sealed(0, {
      branches: { a: { ...Events.branch(10), base: { length: 0 } }, b: Events.branch(10) }
    }),
    Events.applied("a", 0, { receipt: { length: 9 } }),
    Events.applied("b", 0),
    { _tag: "OutputFinished", stage: "a", output: { length: 9 } } as const,
    Events.completed
  ]
  const back = { _tag: "RunSetBack", ...setBack, outputs: { a: { length: 0 } } } as const

  it("waits like one that was cut off, and goes on by being resumed", () => {
    const state = replay([...done, back])
    assert.strictEqual(state.lifecycle, "Crashed")
    assert.strictEqual(state.run?.failure?.code, "set_back")
    assert.deepInclude(state.run?.sources.in, { sealed: null, checkpoint: null })
    assert.strictEqual(state.nextBatch, 1, "ordinals never restart")
    given(...done, back)
      .when({ _tag: "ResumeRun" })
      .then({ ...Events.replayed, generation: 1 })
  })

  it("remembers where the bytes are until something new is recorded", () => {
    const state = replay([...done, back])
    const from = { receipt: { length: 9 }, finished: true }
    assert.deepStrictEqual(state.run?.outputs.a, { receipt: { length: 0 }, finished: false, from })
    const again = evolve(state, { ...back, version: 4, outputs: { a: { length: 5 } } })
    assert.deepStrictEqual(again.run?.outputs.a?.from, from, "they are still there after a second one")
    const branches = { a: { ...Events.branch(10), base: { file: "x", length: 0 } }, b: Events.branch(10) }
    const sealed = Events.sealed(1, { offset: 0, range: { from: null, to: { line: 10 } }, branches })
    assert.notProperty(evolve(state, sealed).run?.outputs.a, "from")
  })

  it("leaves what its outputs may hold to the next run, if it is given up", () => {
    const next = replay([
      ...done,
      back,
      Events.givenUp,
      Events.triggered,
      { _tag: "RunStarted", run: "r2", signature: "sig-1", from: [] }
    ])
    assert.deepStrictEqual(next.run?.leftovers.a, { receipt: { length: 9 }, finished: true })
  })
})
