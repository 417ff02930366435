/**
 * The lines a pipeline leaves in the program's log: none while it is well, and each says whom it is about.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, References } from "effect"
import { TestClock } from "effect/testing"
import { DriverError } from "../../src/drivers/DriverError.ts"
import { LogError } from "../../src/log/EventLog.ts"
import type { Crossing } from "../../src/log/Memory.ts"
import { topologies } from "../simulation/topologies.ts"
import { inProcess, makeWorld, runs, type World } from "./measuring.ts"

interface Line {
  readonly text: string
  readonly about: Readonly<Record<string, unknown>>
}

/** Everything that is logged, down to the last detail, while a pipeline runs. */
const logged = (world: World, fault?: (crossing: Crossing) => Effect.Effect<void, LogError>) =>
  Effect.gen(function* () {
    const lines: Array<Line> = []
    const logger = Logger.make(({ fiber, message }) => {
      lines.push({ text: String(message), about: fiber.getRef(References.CurrentLogAnnotations) })
    })
    const { definition, fill } = topologies.linear!
    fill(world.hub)
    const fiber = yield* inProcess(world, runs(definition as { readonly name: string }), fault).pipe(
      Effect.exit,
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "All"),
      Effect.forkChild
    )
    for (let second = 0; second < 600 && fiber.pollUnsafe() === undefined; second++) {
      yield* TestClock.adjust("1 second")
    }
    yield* Fiber.join(fiber)
    return lines
  })

describe("the log of the program", () => {
  it.effect("says nothing of a run that goes well", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* logged(makeWorld()), [])
    })
  )

  it.effect("says which pipeline and run wait for the log", () =>
    Effect.gen(function* () {
      let isAway = true
      const lines = yield* logged(makeWorld(), ({ events, moment, operation }) => {
        const strikes =
          isAway && moment === "before" && operation === "append" && events[0]?.type === "BatchSealed"
        if (!strikes) return Effect.void
        isAway = false
        return Effect.fail(
          new LogError({ operation, reason: { _tag: "Unavailable", message: "the log is away" } })
        )
      })
      assert.strictEqual(lines.length, 2)
      assert.match(lines[0]!.text, /the log is away/)
      for (const { about } of lines) {
        assert.strictEqual(about.pipeline, "linear")
        assert.isString(about.run)
      }
    })
  )

  it.effect("says which pipeline and run ended badly, and why", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      world.hub.interpose((call) =>
        call.operation === "sink.write"
          ? Effect.fail(
              new DriverError({
                driver: "memory",
                operation: "write",
                reason: { _tag: "Misconfigured", code: "no_such_place", message: "there is no such place" }
              })
            )
          : Effect.void
      )
      const [line, ...others] = yield* logged(world)
      assert.isEmpty(others)
      assert.match(line!.text, /failed.*no_such_place/)
      assert.strictEqual(line!.about.pipeline, "linear")
      assert.isString(line!.about.run)
    })
  )
})
