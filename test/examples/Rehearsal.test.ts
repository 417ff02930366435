/**
 * A pipeline tried in a test: records in, records out, without a source, a sink or a service; and hours in a
 * moment, because the time of a rehearsal passes only when nobody has anything to do.
 */
import { assert, it } from "@effect/vitest"
import { Clock, Context, Effect, Schema } from "effect"
import { File, givenRecord, Pipeline, rehearse } from "../../src/index.ts"

const Reading = Schema.Struct({ sensor: Schema.String, celsius: Schema.Number })
const Alarm = Schema.Struct({ sensor: Schema.String, place: Schema.String, toldAt: Schema.Number })

/** What the pipeline needs of the program: a test brings its own. */
class Places extends Context.Service<
  Places,
  { readonly find: (sensor: string) => Effect.Effect<string, string> }
>()("example/Places") {}

const alarms = Pipeline.make("alarms").pipe(
  Pipeline.source("readings", File.ndjson("readings.ndjson", Reading)),
  Pipeline.filter("hot", ({ celsius }) => celsius > 90),
  Pipeline.mapEffect("told", Alarm, ({ sensor }) =>
    Effect.gen(function* () {
      const place = yield* (yield* Places).find(sensor)
      // Whoever is on call is given a minute to notice by himself.
      yield* Effect.delay(Effect.void, "1 minute")
      return { sensor, place, toldAt: yield* Clock.currentTimeMillis }
    })
  ),
  Pipeline.sink("alarms", File.ndjson("alarms.ndjson", Alarm))
)

it.effect("tells of every reading that is too hot, a minute later, and of sensors nobody knows", () =>
  Effect.gen(function* () {
    const { deadLetters, sinks } = yield* rehearse(alarms, {
      at: Date.UTC(2026, 10, 21, 12),
      given: {
        readings: [
          { sensor: "a", celsius: 95 },
          { sensor: "a", celsius: 20 },
          givenRecord({ sensor: "z", celsius: 99 }, { metadata: { file: "late.ndjson" } })
        ]
      }
    })
    assert.deepStrictEqual(sinks.alarms, [
      { sensor: "a", place: "boiler room", toldAt: Date.UTC(2026, 10, 21, 12, 1) }
    ])
    assert.deepStrictEqual(
      deadLetters.map(({ message, offset, stage }) => ({ message, offset, stage })),
      [{ message: "nobody knows z", offset: 2, stage: "told" }]
    )
  }).pipe(
    Effect.provideService(Places, {
      find: (sensor) =>
        sensor === "a" ? Effect.succeed("boiler room") : Effect.fail(`nobody knows ${sensor}`)
    })
  )
)
