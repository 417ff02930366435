/**
 * A process that opens the log in the schema it is given and appends without end, saying each
 * version once it is durable. For tests that kill it.
 *
 * @module
 */
import { Effect, Redacted } from "effect"
import { EventLog } from "../../src/log/EventLog.ts"
import { layerPostgres } from "../../src/log/Postgres.ts"
import { newEvents } from "../contracts/newEvent.ts"

const program = Effect.gen(function* () {
  const log = yield* EventLog
  let head = yield* log.claim("a")
  while (true) {
    head = yield* log.append(
      "a",
      { expectedVersion: head.version, epoch: head.epoch },
      newEvents(`${head.version}`, 3)
    )
    yield* Effect.callback<void>((resume) => {
      process.stdout.write(`${head.version}\n`, () => resume(Effect.void))
    })
  }
})

const url = Redacted.make(process.env.MILLRACE_TEST_URL!)
await Effect.runPromise(Effect.provide(program, layerPostgres({ url, schema: process.argv[2]! })))
