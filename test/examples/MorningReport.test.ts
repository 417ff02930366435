/**
 * A month of mornings in a moment: the clock is the test's, and a day that is an hour short has its report too.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Millrace } from "../../src/index.ts"
import { makeMemoryHub } from "../../src/testing/index.ts"
import { MorningReport } from "./MorningReport.ts"

const day = 86_400_000

/** Lets the run that has just begun come to its end: some milliseconds are enough. */
const breathe = Effect.forEach(Array.from({ length: 40 }), () => TestClock.adjust("5 millis"), {
  discard: true
})

it.effect("reports every morning of March at six, also after the clocks have changed", () => {
  const hub = makeMemoryHub()
  hub.source("orders", [{ id: 7, amount: 12.5 }])
  return Effect.gen(function* () {
    yield* TestClock.setTime(Date.UTC(2026, 2, 1))
    const { runs, upcoming } = yield* Effect.gen(function* () {
      const reports = yield* MorningReport
      const upcoming = yield* reports.upcoming
      for (let date = 1; date <= 31; date++) {
        // Six in Berlin is five in London, and four from the 29th on.
        const six = Date.UTC(2026, 2, date, date < 29 ? 5 : 4)
        yield* TestClock.setTime(six)
        yield* breathe
        yield* TestClock.setTime(six + day / 2)
      }
      const { events } = yield* Millrace
      const triggered = yield* events("morning-report").pipe(
        Stream.filter(({ event }) => event._tag === "Triggered"),
        Stream.take(31),
        Stream.runCollect
      )
      return { runs: triggered.map(({ at }) => new Date(at).toISOString()), upcoming }
    }).pipe(
      Effect.provide(
        MorningReport.layer.pipe(Layer.provideMerge(Millrace.layerTest({ drivers: [hub.driver] })))
      )
    )
    assert.deepStrictEqual(
      upcoming.map(({ local, offset }) => `${local} ${offset}`),
      ["2026-03-01T06:00:00 +01:00", "2026-03-02T06:00:00 +01:00", "2026-03-03T06:00:00 +01:00"]
    )
    assert.lengthOf(runs, 31)
    assert.deepStrictEqual(
      [runs[0], runs[27], runs[28], runs[30]],
      [
        "2026-03-01T05:00:00.000Z",
        "2026-03-28T05:00:00.000Z",
        "2026-03-29T04:00:00.000Z",
        "2026-03-31T04:00:00.000Z"
      ]
    )
    assert.strictEqual(hub.sink("report").records.length, 31)
  })
})
