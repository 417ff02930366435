/**
 * What every event log must do, whatever it stands on.
 *
 * @module
 */
import { describe, it } from "@effect/vitest"
import { Effect, type Layer, Schema } from "effect"
import { EventLog, type LogError } from "../../src/log/EventLog.ts"
import { agreesWithModel, Step } from "./EventLogModel.ts"
import { following, reading, roundTrip, snapshots } from "./EventLogReads.ts"
import { appending, appendingTogether, owning, repeating } from "./EventLogWrites.ts"
import type { Test } from "./onLog.ts"

/** `makeLayer` gives an empty log each time its layer is built, and cleans up after it. */
export const eventLogContract = (name: string, makeLayer: () => Layer.Layer<EventLog, LogError>) =>
  describe(`EventLog contract: ${name}`, () => {
    const on: Test = (title, test) =>
      it.effect(title, () => Effect.flatMap(EventLog, test).pipe(Effect.provide(makeLayer())))

    describe("owning", () => owning(on))
    describe("appending", () => appending(on))
    describe("appending together", () => appendingTogether(on))
    describe("repeating", () => repeating(on))
    describe("reading", () => reading(on))
    describe("following", () => following(on))
    describe("snapshots", () => snapshots(on))

    it.effect.prop(
      "any interleaving of owners gives what the model gives",
      [Schema.Array(Step)],
      ([steps]) => agreesWithModel(steps).pipe(Effect.provide(makeLayer())),
      { arbitrary: { runs: 100, size: 60 }, timeout: 60_000 }
    )
    it.effect.prop(
      "any text comes back as it was",
      [Schema.Array(Schema.String).check(Schema.isMaxLength(5))],
      ([texts]) => roundTrip(texts).pipe(Effect.provide(makeLayer())),
      { arbitrary: { runs: 50 }, timeout: 60_000 }
    )
  })
