/**
 * What an auditor is told of a history that could not have happened.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { initial } from "../../projections/PipelineState.ts"
import * as Runtime from "../../src/pipeline/Runtime.ts"
import { batch, begin, tell } from "./stepping.ts"

describe("an auditor sees", () => {
  const runtime = tell([...begin, ...batch("b0"), ...batch("b1"), Runtime.complete])
  const codes = (events: ReadonlyArray<PipelineEvent>) =>
    Runtime.historyFindings(Runtime.fromEvents(events)).map(({ code }) => code)

  it("an event left out, whichever it is, unless it only tells", () => {
    for (const [index, event] of runtime.events.entries()) {
      const without = runtime.events.toSpliced(index, 1)
      const tells =
        event._tag === "Scheduled" ||
        event._tag === "Completed" ||
        (event._tag === "StageApplied" && event.stage !== "out")
      assert.strictEqual(codes(without).length === 0, tells, event._tag)
      assert.notStrictEqual(Runtime.signature(Runtime.fromEvents(without)), Runtime.signature(runtime))
    }
  })
  it("a key taken twice", () => {
    const forged = runtime.events.map((event) =>
      event._tag === "StageApplied" && event.stage === "out" ? { ...event, key: "same" } : event
    )
    assert.deepStrictEqual(codes(forged), ["duplicate_key"])
  })
  it("a state that is not the fold, and another beginning", () => {
    const findings = Runtime.historyFindings({ ...runtime, state: initial })
    assert.deepStrictEqual(
      findings.map(({ code, pointer }) => [code, pointer]),
      [["state_differs", "/state"]]
    )
    assert.include(codes(runtime.events.slice(1)), "illegal_event")
    assert.isFalse(Runtime.valid(Runtime.fromEvents([])))
  })
})
