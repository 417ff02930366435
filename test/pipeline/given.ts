/**
 * The one place that knows how a decision is exercised; every test is data.
 *
 * @module
 */
import { assert } from "@effect/vitest"
import { Result } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { replay } from "../../projections/PipelineState.ts"
import type { JournalEntry } from "../../src/flow/run/Journal.ts"
import type { Command, RejectionCode } from "../../src/pipeline/Command.ts"
import { decide } from "../../src/pipeline/decide.ts"

export const given = (...past: ReadonlyArray<PipelineEvent>) => {
  const state = replay(past)
  const when = (command: Command) => {
    const decision = decide(command, state)
    return {
      // biome-ignore lint/suspicious/noThenProperty: it reads given, when, then; nobody awaits it
      then: (...expected: ReadonlyArray<PipelineEvent>) => {
        assert.deepStrictEqual(decision, Result.succeed(expected))
      },
      thenRejected: (code: RejectionCode) => {
        assert.strictEqual(Result.isFailure(decision) ? decision.failure.code : "accepted", code)
      }
    }
  }
  return { when, whenRecording: (entry: JournalEntry) => when({ _tag: "Record", entry }) }
}
