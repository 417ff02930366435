import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PipelineEvent } from "../../../events/PipelineEvent.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import { diff } from "../../../projections/StateDiff.ts"
import { EventLog } from "../../../src/log/EventLog.ts"
import { layerMemory } from "../../../src/log/Memory.ts"
import { diffBetween, parseMoment, stateAt } from "../../../src/pipeline/History.ts"
import { snapshotName } from "../../../src/pipeline/loadState.ts"
import { newEvent } from "../../contracts/newEvent.ts"
import { legalHistory } from "../../fixtures/drive.ts"

const stream = "pipeline/p1"
const events = legalHistory(Array.from({ length: 200 }, (_, index) => index * 7919 + 13))
const stateAfter = (version: number): PipelineState.PipelineState =>
  PipelineState.replay(events.slice(0, version))

/** Events that happened every ten milliseconds from 1970 on. */
const write = (history: ReadonlyArray<PipelineEvent>) =>
  EventLog.use((log) =>
    Effect.flatMap(log.claim(stream), ({ epoch, version }) =>
      log.append(
        stream,
        { expectedVersion: version, epoch },
        history.map((event, index) =>
          newEvent(`e${version + index}`, {
            type: event._tag,
            schemaVersion: 1,
            payload: JSON.stringify(event),
            at: (version + index + 1) * 10
          })
        )
      )
    )
  )

/** A snapshot that says of itself that it was used. */
const saveSnapshot = (version: number) =>
  EventLog.use((log) =>
    log.saveSnapshot({
      stream,
      fold: snapshotName,
      foldVersion: PipelineState.foldVersion,
      version,
      state: JSON.stringify({ ...stateAfter(version), id: "from the snapshot" })
    })
  )

describe("the state as it was", () => {
  it.effect("is that after each version, and at each time", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      yield* write(events)
      for (let version = 0; version <= events.length; version += 7) {
        const expected = { version, at: version === 0 ? null : version * 10, state: stateAfter(version) }
        assert.deepEqual(yield* stateAt(log, stream, { version }), expected)
        assert.deepEqual(yield* stateAt(log, stream, { time: version * 10 }), expected)
        assert.deepEqual(yield* stateAt(log, stream, { time: version * 10 + 9 }), expected)
      }
      assert.equal((yield* stateAt(log, stream)).version, events.length)
      const refused = yield* Effect.flip(stateAt(log, stream, { version: events.length + 1 }))
      assert.deepInclude(refused, { _tag: "UnknownVersion", last: events.length })
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("begins at the snapshot, unless that is later", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      yield* write(events)
      yield* saveSnapshot(100)
      const idAt = (version: number) => Effect.map(stateAt(log, stream, { version }), ({ state }) => state.id)
      assert.deepEqual(
        [yield* idAt(99), yield* idAt(100), yield* idAt(150)],
        ["p1", "from the snapshot", "from the snapshot"]
      )
      const { at, state } = yield* stateAt(log, stream, { time: 1000 })
      assert.deepEqual([at, state.id], [1000, "from the snapshot"])
    }).pipe(Effect.provide(layerMemory))
  )
})

describe("the difference between two moments", () => {
  it.effect("is seen from the first, whichever is the later", () =>
    Effect.gen(function* () {
      const log = yield* EventLog
      yield* write(events)
      const [early, late] = [stateAfter(20), stateAfter(150)]
      const there = yield* diffBetween(log, stream, { version: 20 }, { time: 1500 })
      assert.deepEqual(there, {
        from: { version: 20, at: 200 },
        to: { version: 150, at: 1500 },
        differences: diff(early, late)
      })
      const back = yield* diffBetween(log, stream, { version: 150 }, { version: 20 })
      assert.deepEqual(back.differences, diff(late, early))
    }).pipe(Effect.provide(layerMemory))
  )
})

describe("a moment", () => {
  it("is a version or a time", () => {
    assert.deepEqual(parseMoment("12"), { version: 12 })
    assert.deepEqual(parseMoment("2026-03-29T02:00:00+02:00"), { time: Date.UTC(2026, 2, 29) })
    for (const text of ["", "soon", "-1", "1.5", "12:00"]) assert.isUndefined(parseMoment(text))
  })
})
