import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { EventLog } from "../../../src/log/EventLog.ts"
import { layerMemory } from "../../../src/log/Memory.ts"
import { eventPage, readWhy } from "../../../src/pipeline/History.ts"
import { lookedAtMost, pageCharacters } from "../../../src/pipeline/history/readEvents.ts"
import { newEvent } from "../../contracts/newEvent.ts"
import { range } from "../../contracts/onLog.ts"

const stream = "pipeline/p1"

const write = (rows: ReadonlyArray<Parameters<typeof newEvent>[1]>) =>
  EventLog.use((log) =>
    Effect.flatMap(log.claim(stream), ({ epoch, version }) =>
      log.append(
        stream,
        { expectedVersion: version, epoch },
        rows.map((row, index) => newEvent(`e${version + index}`, row))
      )
    )
  )

const page = (after: number, limit: number, ...types: ReadonlyArray<string>) =>
  EventLog.use((log) =>
    Effect.map(eventPage(log, stream, { after, limit, types: new Set(types) }), ({ events, next }) => ({
      versions: events.map(({ version }) => version),
      next
    }))
  )

describe("a page of events", () => {
  it.effect("says where to go on, and when there is no more", () =>
    Effect.gen(function* () {
      yield* write(range(1, 5).map(() => ({})))
      assert.deepEqual(yield* page(0, 3), { versions: [1, 2, 3], next: 3 })
      assert.deepEqual(yield* page(3, 2), { versions: [4, 5], next: null })
      assert.deepEqual(yield* page(5, 2), { versions: [], next: null })
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("of a rare type looks only so far, and then goes on from there", () =>
    Effect.gen(function* () {
      yield* write(
        range(0, lookedAtMost).map((index) => ({ type: index === lookedAtMost ? "Rare" : "Common" }))
      )
      assert.deepEqual(yield* page(0, 10, "Rare"), { versions: [], next: lookedAtMost })
      assert.deepEqual(yield* page(lookedAtMost, 10, "Rare"), { versions: [lookedAtMost + 1], next: null })
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("ends early where events are large", () =>
    Effect.gen(function* () {
      const payload = JSON.stringify("x".repeat(pageCharacters / 2))
      yield* write(range(1, 3).map(() => ({ payload })))
      assert.deepEqual(yield* page(0, 10), { versions: [1, 2], next: 2 })
    }).pipe(Effect.provide(layerMemory))
  )
})

describe("why", () => {
  it.effect("passes over what changes no status, and over nothing it does not know", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      // Not even JSON: it is not looked into.
      yield* write([{ type: "StageApplied", schemaVersion: 1, payload: "…" }])
      assert.equal((yield* readWhy(log, stream)).version, 1)
      yield* write([{ type: "Unheard", schemaVersion: 1, payload: "{}" }])
      assert.deepInclude(yield* Effect.flip(readWhy(log, stream)), { _tag: "UndecodableEvent", version: 2 })
    }).pipe(Effect.provide(layerMemory))
  )
})
