/**
 * A process that opens the log in the directory it is given and appends without end, saying each
 * version once it is durable. For tests that kill it.
 *
 * @module
 */
import { Effect } from "effect"
import { EventLog } from "../../src/log/EventLog.ts"
import { layerSqlite } from "../../src/log/Sqlite.ts"
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

await Effect.runPromise(Effect.provide(program, layerSqlite({ directory: process.argv[2]! })))
