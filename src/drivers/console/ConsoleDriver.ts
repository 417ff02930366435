/**
 * Records printed to standard output, one JSON text a line, and nothing else printed there.
 *
 * What has been printed cannot be taken back, so a resumed run may print a batch again.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import type { Driver, Offer } from "../Driver.ts"
import { DriverError } from "../DriverError.ts"
import { encodeJson } from "../file/sink/encodeJson.ts"
import type { Sink, SinkBatch, SinkWriter } from "../Sink.ts"

/** At most `limit` records are printed by one process; the rest are taken and not shown. */
export const ConsoleConfig = Schema.Struct({
  limit: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))
})
export type ConsoleConfig = typeof ConsoleConfig.Type

/** The part of a writable stream that printing needs. */
export interface Output {
  write(text: string, done: (error?: Error | null) => void): boolean
}

export const makeConsoleDriver = (output: Output): Driver => {
  const sink: Offer<ConsoleConfig, Sink> = {
    config: ConsoleConfig,
    make: ({ limit }) => Effect.succeed(makeSink(output, limit ?? Number.POSITIVE_INFINITY))
  }
  return { name: "console", class: "memory", guarantee: "at_least_once", sink }
}

/** The stream is touched when there is something to print: looking at it opens it. */
export const consoleDriver: Driver = makeConsoleDriver({
  write: (text, done) => process.stdout.write(text, done)
})

const makeSink = (output: Output, limit: number): Sink => {
  let printed = 0
  const write = (batch: SinkBatch) =>
    Effect.suspend(() => {
      const lines = batch.records.slice(0, Math.max(0, limit - printed))
      printed += lines.length
      return lines.length === 0 ? Effect.void : print(output, lines.join(""))
    })
  const writer: SinkWriter = {
    base: null,
    held: () => Effect.succeed(new Map()),
    write: (batch) =>
      Effect.as(write(batch), {
        _tag: "Held",
        held: { attempt: batch.attempt, records: batch.records.length }
      }),
    flush: Effect.succeed(null),
    finish: Effect.succeed(null),
    publish: Effect.void
  }
  return { encode: (payload) => `${encodeJson(payload)}\n`, open: () => Effect.succeed(writer) }
}

/** Done when the text has been handed on: a slow reader slows the pipeline. */
const print = (output: Output, text: string): Effect.Effect<void, DriverError> =>
  Effect.uninterruptible(
    Effect.callback<void, DriverError>((resume) => {
      output.write(text, (error) => resume(error ? Effect.fail(closed(error)) : Effect.void))
    })
  )

const closed = (error: Error): DriverError =>
  new DriverError({
    driver: "console",
    operation: "write",
    reason: {
      _tag: "Rejected",
      code: "output_closed",
      message: `standard output cannot be written: ${error.message}`,
      suggestion: "the program reading it has ended; send the records to a file instead"
    }
  })
