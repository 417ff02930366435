/**
 * Old events decode for ever; what cannot be read stops loudly and says which row it was.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { decodeCatalogEvent, decodePipelineEvent } from "../../events/upcast.ts"
import * as Catalog from "../../projections/Catalog.ts"
import { replay } from "../../projections/PipelineState.ts"
import { storedRows } from "../fixtures/rows.ts"

describe("the log of 0.2.0 with redrives", () => {
  const rows = storedRows("log-0.2.0-redrives.ndjson")

  it("reads as it was written", () => {
    for (const row of rows) {
      const read = row.stream === "catalog" ? decodeCatalogEvent(row) : decodePipelineEvent(row)
      assert.deepStrictEqual(Result.getOrThrow<unknown, unknown>(read), JSON.parse(row.payload))
    }
  })
  it("is folded to where it ended", () => {
    const events = rows.filter(({ stream }) => stream !== "catalog").map(decodePipelineEvent)
    const state = replay(events.map((event) => Result.getOrThrow(event)))
    assert.include(state, { deployment: "Shutdown", lifecycle: "Completed", generation: 0 })
    assert.deepStrictEqual(state.bench, {
      revision: 4,
      open: [],
      unpublished: [],
      redriven: 2,
      discarded: 1,
      stalled: null
    })
  })
})

describe("the log of 0.1.0", () => {
  const rows = storedRows("log-0.1.0.ndjson")
  const pipeline = rows.filter(({ stream }) => stream !== "catalog")

  for (const row of rows) {
    it(`${row.stream} ${row.version}: ${row.type}`, () => {
      const read = row.stream === "catalog" ? decodeCatalogEvent(row) : decodePipelineEvent(row)
      assert.deepStrictEqual(Result.getOrThrow<unknown, unknown>(read), JSON.parse(row.payload))
    })
  }
  it("is folded to where it ended", () => {
    const state = replay(pipeline.map((row) => Result.getOrThrow(decodePipelineEvent(row))))
    assert.include(state, {
      id: "p1",
      desired: "Shutdown",
      deployment: "Shutdown",
      lifecycle: "Crashed",
      generation: 1,
      nextBatch: 2
    })
    assert.include(state.run, { id: "r2" })
  })
  it("has its pipelines", () => {
    const events = rows
      .filter(({ stream }) => stream === "catalog")
      .map((row) => Result.getOrThrow(decodeCatalogEvent(row)))
    const catalog = events.reduce(Catalog.evolve, Catalog.initial)
    assert.deepStrictEqual(Catalog.list(catalog), [{ id: "p1", name: "orders", ordinal: 0 }])
  })
})

describe("a row that cannot be read", () => {
  const row: StoredEvent = {
    position: 7,
    stream: "pipeline/p1",
    version: 3,
    type: "Paused",
    schemaVersion: 1,
    payload: `{"_tag":"Paused"}`,
    at: 0,
    eventId: "e3",
    causationId: null,
    correlationId: null,
    by: "engine",
    epoch: 1,
    hash: ""
  }
  const why = (changes: Partial<StoredEvent>, decode: typeof decodePipelineEvent = decodePipelineEvent) => {
    const error = Result.getOrThrow(Result.flip(decode({ ...row, ...changes })))
    assert.deepInclude(error, { _tag: "UndecodableEvent", stream: "pipeline/p1", version: 3 })
    return error.message
  }

  it("has an unknown type", () => {
    const message = why({ type: "Evaporated", payload: `{"_tag":"Evaporated"}` })
    assert.include(message, "event 3 (Evaporated) of pipeline/p1 cannot be read")
  })
  it("was written by a newer release", () =>
    assert.strictEqual(
      why({ schemaVersion: 2 }),
      "event 3 (Paused) of pipeline/p1 cannot be read: it was written by a newer release (shape 2, known up to 1)"
    ))
  it("is not JSON", () =>
    assert.include(
      why({ payload: `{"_tag":` }),
      "event 3 (Paused) of pipeline/p1 cannot be read: its payload is not JSON"
    ))
  it("lacks a field", () =>
    assert.include(why({ type: "Failed", payload: `{"_tag":"Failed","run":"r1"}` }), `at ["reason"]`))
  it("has a field of another kind", () =>
    assert.include(why({ type: "Completed", payload: `{"_tag":"Completed","run":7}` }), `at ["run"]`))
  it("is of another vocabulary", () => {
    const read: typeof decodePipelineEvent = decodeCatalogEvent as never
    assert.include(why({}, read), "event 3 (Paused) of pipeline/p1 cannot be read")
  })
  it("is no object at all", () => {
    for (const payload of ["null", "[]", `"Paused"`, "7"]) assert.include(why({ payload }), "cannot be read")
  })
})
