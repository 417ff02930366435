/**
 * Steps of a runtime as functions, so that a story is a list of them. The pipeline is source `in`,
 * transform `clean`, sink `out`; `forked` has the sink `copy` beside it.
 *
 * @module
 */
import { assert } from "@effect/vitest"
import * as Runtime from "../../src/pipeline/Runtime.ts"

export const orders: Runtime.RuntimePipeline = {
  name: "orders",
  stages: [Runtime.sourceStage("in"), Runtime.transformStage("clean"), Runtime.sinkStage("out")]
}
export const forked: Runtime.RuntimePipeline = {
  ...orders,
  stages: [...orders.stages, Runtime.sinkStage("copy")]
}
export const broken = { code: "broken", message: "it broke" }

export type Call = (runtime: Runtime.Runtime) => Runtime.ProcessResult
export const process =
  (stage: string, key: string, records = 10, more: Partial<Runtime.ProcessAsk> = {}): Call =>
  (runtime) =>
    Runtime.process(runtime, { stage, key, records, lagMs: 5, ...more })
export const begin: ReadonlyArray<Call> = [
  (runtime) => Runtime.schedule(runtime, { tick: "t1", dueAt: 1000 }),
  (runtime) => Runtime.trigger(runtime, { reason: "due", tick: "t1" }),
  (runtime) => Runtime.start(runtime)
]
export const again: ReadonlyArray<Call> = [
  (runtime) => Runtime.trigger(runtime, { reason: "asked" }),
  begin[2]!
]
export const crash: Call = (runtime) => Runtime.crash(runtime, broken)
export const fail: Call = (runtime) => Runtime.fail(runtime, broken)
export const resume: Call = Runtime.resumeFromLatestCheckpoint
export const letter =
  (stage: string, more: Partial<Runtime.DeadLetterAsk> = {}): Call =>
  (runtime) =>
    Runtime.recordDeadLetter(runtime, { stage, reason: broken, ...more })
export const retry =
  (stage: string, more: Partial<Runtime.RetryAsk> = {}): Call =>
  (runtime) =>
    Runtime.recordRetry(runtime, { stage, reason: broken, delayMs: 100, ...more })
/** A batch the whole way through. */
export const batch = (key: string): ReadonlyArray<Call> =>
  ["in", "clean", "out"].map((stage) => process(stage, key))

/** Every call must be taken. */
export const tell = (
  calls: ReadonlyArray<Call>,
  from: Runtime.Runtime = Runtime.make(orders)
): Runtime.Runtime =>
  calls.reduce((runtime, call) => {
    const result = call(runtime)
    assert.strictEqual(result._tag, "Applied", result._tag === "Rejected" ? result.reason.message : "")
    return result.runtime
  }, from)

export const thenRejected = (
  runtime: Runtime.Runtime,
  call: Call,
  code: Runtime.RuntimeRejectionCode
): void => {
  const result = call(runtime)
  assert.strictEqual(result._tag === "Rejected" ? result.reason.code : result._tag, code)
  assert.strictEqual(result.runtime, runtime)
}
export const thenSuppressed = (runtime: Runtime.Runtime, call: Call, stage: string, key: string): void =>
  assert.deepStrictEqual(call(runtime), { _tag: "DuplicateSuppressed", runtime, stage, key })

export const checkpoint = (runtime: Runtime.Runtime) => Runtime.checkpoints(runtime)[0]
