import { assert, describe, it } from "vitest"
import { failureOf } from "../../src/cli/CliFailure.ts"
import { LogError } from "../../src/log/EventLog.ts"
import { ActorStopped } from "../../src/pipeline/PipelineActor.ts"

const away = new LogError({
  operation: "append",
  reason: { _tag: "Unavailable", message: "Postgres cannot be reached: connect ECONNREFUSED." }
})

describe("a log that does not answer", () => {
  it("is told as it is", () => {
    const { code, exit, message, suggestion } = failureOf(away)
    assert.deepStrictEqual(
      { code, exit, message, suggestion },
      {
        code: "log_unavailable",
        exit: 3,
        message: "Postgres cannot be reached: connect ECONNREFUSED.",
        suggestion: "try again when the store answers"
      }
    )
  })

  it("that went away under a run leaves a place to go on from", () => {
    const stopped = new ActorStopped({ pipeline: "p", message: "the log does not take events", reason: away })
    const { code, exit, message, suggestion } = failureOf(stopped)
    assert.deepStrictEqual(
      { code, exit, message, suggestion },
      {
        code: "log_unavailable",
        exit: 3,
        message: "Postgres cannot be reached: connect ECONNREFUSED.",
        suggestion: "run it again when the store answers: the run goes on where it stopped"
      }
    )
  })
})
