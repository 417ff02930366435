import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as RememberedCommands from "../../projections/RememberedCommands.ts"
import { failed } from "../../src/api/failures.ts"
import * as Idempotency from "../../src/server/Idempotency.ts"

/** A log of correlation ids, and a process over it that may be started again. */
const world = () => {
  const log: Array<{ readonly correlationId: string; readonly version: number }> = []
  const find: Idempotency.FindCommand = (_, key) =>
    Effect.sync(() =>
      RememberedCommands.find(log.reduce(RememberedCommands.evolve, RememberedCommands.initial), key)
    )
  const append = (correlationId: string | undefined) =>
    Effect.sync(() => {
      log.push({ correlationId: correlationId ?? "", version: log.length + 1 })
      return `did it at ${log.length}`
    })
  const again = ({ first }: RememberedCommands.RememberedCommand) => Effect.succeed(`did it at ${first}`)
  const start = () => Idempotency.make(find)
  return { log, append, again, start }
}

const request = (key: string | undefined, of: unknown = {}, by = "local"): Idempotency.KeyedRequest => ({
  stream: "pipeline/p",
  key,
  by,
  operation: "triggerRun",
  request: of
})

describe("an Idempotency-Key", () => {
  it.effect("gives the first answer, also after the process that gave it is gone", () =>
    Effect.gen(function* () {
      const { again, append, log, start } = world()
      const before = start()
      assert.strictEqual(yield* before.once(request("k"), append, again), "did it at 1")
      assert.strictEqual(yield* before.once(request("k"), append, again), "did it at 1")
      assert.strictEqual(yield* start().once(request("k"), append, again), "did it at 1")
      assert.lengthOf(log, 1)
      assert.strictEqual(yield* before.once(request("other"), append, again), "did it at 2")
      assert.strictEqual(yield* before.once(request("k", {}, "somebody"), append, again), "did it at 3")
    })
  )

  it.effect("of a request whose answer never left is found in the log", () =>
    Effect.gen(function* () {
      const { again, append, log, start } = world()
      const dying = start().once(
        request("k"),
        (id) => Effect.andThen(append(id), Effect.die("power cut")),
        again
      )
      yield* Effect.exit(dying)
      assert.strictEqual(yield* start().once(request("k"), append, again), "did it at 1")
      assert.lengthOf(log, 1)
    })
  )

  it.effect("that is left out asks for it as often as it is sent", () =>
    Effect.gen(function* () {
      const { again, append, log, start } = world()
      const idempotency = start()
      yield* idempotency.once(request(undefined), append, again)
      yield* idempotency.once(request(undefined), append, again)
      assert.lengthOf(log, 2)
    })
  )

  it.effect("with another request is a mistake, before and after a restart", () =>
    Effect.gen(function* () {
      const { again, append, log, start } = world()
      const before = start()
      yield* before.once(request("k", { reason: "a" }), append, again)
      for (const process of [before, start()]) {
        const refused = yield* Effect.flip(process.once(request("k", { reason: "b" }), append, again))
        assert.containSubset(refused, { error_code: "IdempotencyKeyReused" })
      }
      assert.lengthOf(log, 1)
    })
  )

  it.effect("lets only one of two at once act", () =>
    Effect.gen(function* () {
      const { again, append, log, start } = world()
      const idempotency = start()
      const gate = yield* Deferred.make<void>()
      const slowly = (id: string | undefined) => Effect.andThen(Deferred.await(gate), append(id))
      const both = yield* Effect.forkChild(
        Effect.all(
          [idempotency.once(request("k"), slowly, again), idempotency.once(request("k"), slowly, again)],
          { concurrency: 2 }
        )
      )
      yield* Effect.yieldNow
      yield* Deferred.succeed(gate, undefined)
      assert.deepEqual(yield* Fiber.join(both), ["did it at 1", "did it at 1"])
      assert.lengthOf(log, 1)
    })
  )

  it.effect("of a refusal is free again, and so is one whose sender went away", () =>
    Effect.gen(function* () {
      const { again, append, log, start } = world()
      const idempotency = start()
      const refusal = failed("RunInProgress", "")
      assert.strictEqual(
        yield* Effect.flip(idempotency.once(request("k"), () => Effect.fail(refusal), again)),
        refusal
      )
      const gone = yield* Effect.forkChild(idempotency.once(request("k"), () => Effect.never, again))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(gone)
      assert.strictEqual(yield* idempotency.once(request("k"), append, again), "did it at 1")
      assert.lengthOf(log, 1)
    })
  )
})
