/**
 * Asking the code of a program, and telling apart what it fails with: a record's failure comes back as a
 * value, a lost system does not become a dead letter of every record that happened to be on its way.
 *
 * @module
 */
import { Effect, Result } from "effect"
import { DriverError } from "../drivers/DriverError.ts"
import { reasonOfError } from "./Nack.ts"
import { retriedAt } from "./run/Telling.ts"
import { StageError } from "./StageError.ts"

/**
 * What a call came to. A `DriverError` speaks of a system: the call is repeated while that may help, and then
 * fails the stage, save for `Rejected`, where the system has judged the record. A defect ends the run. The
 * function itself is called again, as it may look at something before it makes its effect.
 */
export const askProgram = <A, R>(
  stage: string,
  call: () => Effect.Effect<A, unknown, R>
): Effect.Effect<Result.Result<A, unknown>, StageError, R> =>
  Effect.matchEffect(Effect.suspend(call), {
    onSuccess: (value) => Effect.succeed(Result.succeed(value)),
    onFailure: (error) => (isOfSystem(error) ? Effect.fail(error) : Effect.succeed(Result.fail(error)))
  }).pipe(
    retriedAt(stage),
    Effect.mapError((error) => new StageError({ stage, error }))
  )

const isOfSystem = (error: unknown): error is DriverError =>
  error instanceof DriverError && error.reason._tag !== "Rejected"

/** The same of what opens or closes a stage: there, whatever is wrong is wrong with the stage. */
export const stageErrorOf =
  (stage: string, operation: string) =>
  (error: unknown): StageError => {
    if (error instanceof DriverError) return new StageError({ stage, error })
    const reason = { _tag: "Misconfigured" as const, ...reasonOfError(error) }
    return new StageError({ stage, error: new DriverError({ driver: stage, operation, reason }) })
  }
