import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import * as History from "../../projections/History.ts"
import * as Newest from "../../projections/Newest.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import * as Runs from "../../projections/Runs.ts"
import { Choice, legalHistory } from "../fixtures/drive.ts"
import { completed, crashed, running, runStarted } from "../fixtures/events.ts"
import { assertResumable, dated, rowOf } from "./folding.ts"

const fold = (history: ReadonlyArray<PipelineEvent>): History.History =>
  history.reduce(
    (state, event, index) => History.evolve(state, event, rowOf(event, index + 1)),
    History.initial
  )

describe("the newest of many", () => {
  it("are as many as asked for, and never more than twice the bound is kept", () => {
    let newest = Newest.empty<number>(10)
    for (let item = 0; item < 1005; item++) {
      newest = Newest.add(newest, item)
      assert.isBelow(newest.length, 20)
    }
    assert.deepEqual(Newest.list(newest), [1004, 1003, 1002, 1001, 1000, 999, 998, 997, 996, 995])
    assert.deepEqual(Newest.list(newest, 2), [1004, 1003])
  })
})

describe("the history", () => {
  it.prop(
    "agrees with the folds it is made of",
    [Schema.Array(Choice).check(Schema.isMinLength(20))],
    ([choices]) => {
      const events = legalHistory(choices)
      const history = fold(events)
      assert.deepEqual(History.pipelineOf(history), PipelineState.replay(events))
      const all = dated(events).reduce(Runs.evolve, Runs.initial).runs
      assert.deepEqual(
        History.runs(history, 1000).map(({ tick: _, ...run }) => run),
        all.toReversed()
      )
      // The last place that is told of each source is where the state has it.
      const newest = new Map(
        History.checkpoints(history, 1000)
          .toReversed()
          .filter(({ run }) => run === history.last.pipeline.run?.id)
          .map(({ batch, offset, source }) => [source, [batch, offset]])
      )
      for (const { batch, offset, source } of PipelineState.checkpoints(history.last.pipeline)) {
        assert.deepEqual(newest.get(source), [batch, offset])
      }
    },
    { arbitrary: { runs: 60, size: 120 } }
  )

  it("says of a tick what became of it, and of the run it triggered", () => {
    const events: ReadonlyArray<PipelineEvent> = [
      ...running,
      completed,
      { _tag: "Triggered", reason: "schedule", tick: "t2" },
      { _tag: "TickSkipped", tick: "t3", reason: "overlap", until: "t5", count: 3 },
      { ...runStarted, run: "r2" },
      { ...crashed, run: "r2" }
    ] as ReadonlyArray<PipelineEvent>
    const history = assertResumable(
      events.map((event, index) => ({ event, row: rowOf(event, index + 1) })),
      History.initial,
      (state, { event, row }) => History.evolve(state, event, row)
    )
    const [skipped, triggered] = History.ticks(history, 10)
    assert.deepInclude(skipped, {
      tick: "t3",
      until: "t5",
      count: 3,
      outcome: "skipped",
      reason: "overlap",
      run: null
    })
    assert.deepInclude(triggered, { tick: "t2", version: 5, at: 5000, outcome: "triggered" })
    assert.deepInclude(triggered?.run, { id: "r2", outcome: "Crashed", tick: "t2" })
    assert.deepEqual(
      History.runs(history, 10).map(({ id, tick }) => [id, tick]),
      [
        ["r2", "t2"],
        ["r1", null]
      ]
    )
  })
})
