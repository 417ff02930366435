import { assert, it } from "vitest"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import * as Runs from "../../projections/Runs.ts"
import {
  applied,
  completed,
  crashed,
  failed,
  reason,
  replayed,
  running,
  sealed,
  triggered
} from "../fixtures/events.ts"
import { assertResumable, dated } from "./folding.ts"

const runsOf = (...events: ReadonlyArray<PipelineEvent>) =>
  assertResumable(dated([...running, ...events]), Runs.initial, Runs.evolve).runs

const done = [sealed(0), applied("a", 0), applied("b", 0)]

it("tells when a run began, when it ended and what went through it", () => {
  const [run] = runsOf(...done, completed)
  assert.deepInclude(run, {
    id: "r1",
    trigger: "asked",
    startedAt: 3000,
    endedAt: 7000,
    outcome: "Completed",
    failure: null,
    resumes: 0
  })
  assert.deepInclude(run?.counts, { read: 10, delivered: 10, batches: 1, applied: { a: 10, b: 10 } })
})

it("has no end while it is under way", () => {
  assert.deepInclude(runsOf(sealed(0))[0], { outcome: "Running", endedAt: null })
})

it("keeps the reason of a failure, and forgets it when the run goes on", () => {
  assert.deepInclude(runsOf(failed)[0], { outcome: "Failed", failure: reason, endedAt: 4000 })
  assert.deepInclude(runsOf(crashed, replayed)[0], {
    outcome: "Running",
    failure: null,
    endedAt: null,
    resumes: 1
  })
  assert.deepInclude(runsOf(crashed, replayed, ...done, completed)[0], { outcome: "Completed", resumes: 1 })
})

it("keeps the runs apart", () => {
  const second: PipelineEvent = { _tag: "RunStarted", run: "r2", signature: "sig-1", from: [] }
  const runs = runsOf(...done, completed, triggered, second, { _tag: "Completed", run: "r2" })
  assert.deepEqual(
    runs.map(({ counts, id }) => [id, counts.read]),
    [
      ["r1", 10],
      ["r2", 0]
    ]
  )
})
