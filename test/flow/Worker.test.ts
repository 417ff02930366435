/**
 * The life of a worker, driven by hand: opened once, one batch at a time, stopped behind it, closed for good.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Batch } from "../../src/flow/Batch.ts"
import { Worker } from "../../src/flow/Worker.ts"

/** A worker that tells what is asked of it; `more` is what it does besides. */
const telling = (more: Partial<Worker<number>> = {}) => {
  const told: Array<string> = []
  const tell = (what: string, also: Effect.Effect<void, unknown> = Effect.void) =>
    Effect.andThen(
      Effect.sync(() => void told.push(what)),
      also
    )
  const worker = Worker.make<number>({
    open: tell("open", more.open),
    do: (batch) => tell(`do ${batch.activeRecords.length}`, more.do?.(batch)),
    stop: tell("stop", more.stop),
    close: tell("close", more.close)
  })
  return { told, worker: Worker.guard(worker) }
}

describe("a worker", () => {
  it.effect("can be driven by hand", () =>
    Effect.gen(function* () {
      const worker = Worker.guard(
        Worker.make<number, string>({
          do: (batch) =>
            Effect.sync(() => {
              for (const { at, payload } of batch.activeRecords) {
                if (payload % 2 === 0) batch.filter(at)
                else batch.setRecords(at, [`${payload}`])
              }
            })
        })
      )
      yield* worker.open
      const batch = Batch.make<number, string>([1, 2, 3])
      yield* worker.do(batch)
      yield* worker.close
      assert.deepStrictEqual(
        batch.outcomes.map(({ flag, offset, payloads }) => [offset, flag, ...payloads]),
        [
          [0, "ack", "1"],
          [1, "filter"],
          [2, "ack", "3"]
        ]
      )
    })
  )

  it.effect("is opened once and closed once, however often it is asked to", () =>
    Effect.gen(function* () {
      const { told, worker } = telling()
      yield* worker.open
      yield* worker.open
      yield* worker.do(Batch.make([1]))
      yield* worker.stop
      yield* worker.stop
      yield* worker.close
      yield* worker.close
      assert.deepStrictEqual(told, ["open", "do 1", "stop", "close"])
    })
  )

  it.effect("stop waits for the batch at work, and close for stop", () =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      const reached = yield* Deferred.make<void>()
      const { told, worker } = telling({
        do: () => Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(open))
      })
      yield* worker.open
      const atWork = yield* Effect.forkChild(worker.do(Batch.make([1])))
      yield* Deferred.await(reached)
      const closing = yield* Effect.forkChild(worker.close)
      yield* Effect.yieldNow
      assert.deepStrictEqual(told, ["open", "do 1"])
      yield* Deferred.succeed(open, undefined)
      yield* Fiber.joinAll([atWork, closing])
      assert.deepStrictEqual(told, ["open", "do 1", "stop", "close"])
    })
  )

  it.effect("a close that fails is called again, and no more once it has succeeded", () =>
    Effect.gen(function* () {
      let failures = 2
      const { told, worker } = telling({
        close: Effect.suspend(() => (failures-- > 0 ? Effect.fail("busy") : Effect.void))
      })
      yield* worker.open
      const closing = yield* Effect.forkChild(worker.close)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(closing)
      yield* worker.close
      assert.deepStrictEqual(told, ["open", "stop", "close", "close", "close"])
    })
  )

  it.effect("a close that never succeeds fails, and may be asked for later", () =>
    Effect.gen(function* () {
      let busy = true
      const { told, worker } = telling({
        close: Effect.suspend(() => (busy ? Effect.fail("busy") : Effect.void))
      })
      yield* worker.open
      const closing = yield* Effect.forkChild(Effect.exit(worker.close))
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(closing)))
      busy = false
      yield* worker.close
      assert.strictEqual(told.filter((what) => what === "close").length, 7)
    })
  )

  it.effect("closes what was opened half-way, and nothing that was never touched", () =>
    Effect.gen(function* () {
      const half = telling({ open: Effect.fail("no") })
      yield* Effect.flip(half.worker.open)
      yield* half.worker.close
      assert.deepStrictEqual(half.told, ["open", "close"])
      const never = telling()
      yield* never.worker.close
      assert.deepStrictEqual(never.told, [])
    })
  )

  it.effect("a batch before open or behind stop is a defect", () =>
    Effect.gen(function* () {
      const { worker } = telling()
      assert.match(String(yield* Effect.exit(worker.do(Batch.make([1])))), /new was given a batch/)
      yield* worker.open
      yield* worker.stop
      assert.match(String(yield* Effect.exit(worker.do(Batch.make([1])))), /stopped was given a batch/)
    })
  )
})
