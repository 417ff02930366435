import { assert, it } from "vitest"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import * as Telemetry from "../../projections/Telemetry.ts"
import { applied, at, branch, reason, running, sealed, suppressed } from "../fixtures/events.ts"
import { assertResumable, dated } from "./folding.ts"

const telemetryOf = (...events: ReadonlyArray<PipelineEvent>) =>
  assertResumable(dated([...running, ...events]), Telemetry.initial, Telemetry.evolve)

it("adds up what each stage took, and how late", () => {
  const { checkpoints, read, stages } = telemetryOf(
    sealed(0),
    applied("a", 0, { lagMs: 30 }),
    applied("b", 0, { checkpoint: at(0) }),
    sealed(1),
    applied("a", 1, { lagMs: 10, records: 7 })
  )
  assert.deepEqual([read, checkpoints], [20, 1])
  assert.deepInclude(stages.a, { batches: 2, records: 17, lagMsLast: 10, lagMsMax: 30 })
  assert.equal(Telemetry.lagMsMean(stages.a!), 20)
})

it("counts a batch once, however often it is sealed", () => {
  assert.equal(telemetryOf(sealed(0), sealed(0, { attempt: 2, branches: { a: branch(10) } })).read, 10)
})

it("counts repetitions and duplicates by stage", () => {
  const retried: PipelineEvent = { _tag: "Retried", stage: "a", batch: 0, attempt: 1, reason, delayMs: 250 }
  const { stages } = telemetryOf(sealed(0), retried, retried, suppressed("a", 0))
  assert.deepInclude(stages.a, { retries: 2, duplicates: 1, records: 0 })
})

it("takes its speed from the times of the events", () => {
  // Started at second 3, two batches sealed at seconds 4 and 5.
  assert.equal(Telemetry.recordsPerSecond(telemetryOf(sealed(0), sealed(1))), 10)
  assert.equal(Telemetry.recordsPerSecond(telemetryOf()), 0)
})

it("begins anew with a run", () => {
  const second: PipelineEvent = { _tag: "RunStarted", run: "r2", signature: "sig-1", from: [] }
  assert.deepInclude(telemetryOf(sealed(0), applied("a", 0), second), { run: "r2", read: 0, stages: {} })
})

it.each(["constructor", "toString", "__proto__"])("a stage may be called %s", (stage) => {
  const telemetry = telemetryOf(sealed(0), applied(stage, 0))
  assert.deepInclude(Telemetry.ofStage(telemetry, stage), { batches: 1, records: 10 })
})
