import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { hashOf } from "../../src/log/Append.ts"
import { EventLog } from "../../src/log/EventLog.ts"
import { layerSqlite, layerSqliteReader } from "../../src/log/Sqlite.ts"
import { databasePath } from "../../src/log/SqliteSchema.ts"
import { type VerifyOptions, verify } from "../../src/log/verify.ts"
import { newEvents } from "../contracts/newEvent.ts"
import { temporaryDirectory } from "./temporary.ts"

/** Streams `a` (1–3), `b` (1–3), then `a` again (4–6), tampered with by SQL behind the log's back. */
const verifyAfter = Effect.fnUntraced(function* (sql: string, options?: VerifyOptions) {
  const directory = yield* temporaryDirectory
  yield* Effect.gen(function* () {
    const log = yield* EventLog
    const a = yield* log.append("a", yield* claimed("a"), newEvents("a", 3))
    yield* log.append("b", yield* claimed("b"), newEvents("b", 3))
    yield* log.append("a", { expectedVersion: a.version, epoch: a.epoch }, newEvents("aa", 3))
  }).pipe(Effect.provide(layerSqlite({ directory })))
  const database = new DatabaseSync(databasePath(directory))
  database.exec(sql)
  database.close()
  return yield* verify(options).pipe(Effect.provide(layerSqliteReader({ directory })))
})

const claimed = Effect.fnUntraced(function* (stream: string) {
  const { epoch, version } = yield* (yield* EventLog).claim(stream)
  return { expectedVersion: version, epoch }
})

const at = (stream: string, version: number) => `where stream = '${stream}' and version = ${version}`

/** Exchanges the places of two rows, either in the global order or among the versions of stream `a`. */
const swap = (column: "position" | "version", low: number, high: number) =>
  [
    [low, -1],
    [high, low],
    [-1, high]
  ]
    .map(([from, to]) => `update events set ${column} = ${to} where stream = 'a' and ${column} = ${from}`)
    .join("; ")

const forged: StoredEvent = {
  position: 10,
  stream: "a",
  version: 7,
  type: "Tested",
  schemaVersion: 1,
  payload: "{}",
  at: 1,
  eventId: "forged",
  causationId: null,
  correlationId: null,
  by: "test",
  epoch: 1,
  hash: ""
}

const insertForged = (hash: string, where: Partial<StoredEvent> = {}) =>
  `insert into events values (${Object.values({ ...forged, ...where, hash })
    .map((value) => (typeof value === "string" ? `'${value}'` : String(value)))
    .join(", ")})`

describe("verify", () => {
  it.effect("an untouched log is good", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const onEvent = (event: StoredEvent) => seen.push(event.eventId)
      assert.deepStrictEqual(yield* verifyAfter("", { onEvent }), { streams: 2, events: 9, firstBad: null })
      assert.deepStrictEqual(seen, ["a-1", "a-2", "a-3", "b-1", "b-2", "b-3", "aa-1", "aa-2", "aa-3"])
    })
  )

  const cases: ReadonlyArray<
    readonly [what: string, sql: string, stream: string, version: number, reason: RegExp]
  > = [
    [
      "one byte of a payload",
      `update events set payload = replace(payload, 'b-2', 'b-3') ${at("b", 2)}`,
      "b",
      2,
      /changed/
    ],
    ["a space in a payload", `update events set payload = payload || ' ' ${at("a", 1)}`, "a", 1, /changed/],
    ["who asked", `update events set "by" = 'mallory' ${at("a", 5)}`, "a", 5, /changed/],
    ["the type", `update events set type = 'Other' ${at("b", 1)}`, "b", 1, /changed/],
    ["the time", `update events set at = at + 1 ${at("b", 3)}`, "b", 3, /changed/],
    ["the epoch", `update events set epoch = 2 ${at("a", 2)}`, "a", 2, /changed/],
    ["a missing causation", `update events set causationId = '' ${at("a", 2)}`, "a", 2, /changed/],
    ["the event id", `update events set eventId = 'other' ${at("a", 3)}`, "a", 3, /changed/],
    ["a hash", `update events set hash = 'ff' || substr(hash, 3) ${at("a", 2)}`, "a", 2, /changed/],
    ["a row of another stream", `update events set stream = 'c' ${at("b", 3)}`, "c", 1, /missing/],
    ["a deleted row", `delete from events ${at("a", 2)}`, "a", 2, /missing/],
    ["a deleted first row", `delete from events ${at("b", 1)}`, "b", 1, /missing/],
    ["a deleted last row", `delete from events ${at("a", 6)}`, "a", 6, /cut off/],
    ["a deleted stream", "delete from events where stream = 'b'", "b", 1, /cut off/],
    ["a deleted head", "delete from streams where stream = 'b'", "b", 1, /put in/],
    ["a head set back", "update streams set version = 2 where stream = 'b'", "b", 2, /head/],
    ["a head's hash", "update streams set hash = 'ff' || substr(hash, 3) where stream = 'b'", "b", 3, /head/],
    ["rows swapped in their stream", swap("version", 2, 3), "a", 2, /missing/],
    ["rows swapped in global order", swap("position", 1, 3), "a", 1, /missing/],
    [
      "payloads swapped",
      `update events set payload = (select payload from events e where e.stream = events.stream and e.version = 3 - events.version) where stream = 'b' and version < 3`,
      "b",
      1,
      /changed/
    ],
    ["a row behind the end", insertForged("0"), "a", 7, /changed/],
    [
      "a row in another stream",
      insertForged(hashOf("0".repeat(64), { ...forged, stream: "z", version: 1 }), {
        stream: "z",
        version: 1
      }),
      "z",
      1,
      /put in/
    ],
    [
      "two bad rows: the first in global order",
      `update events set "by" = 'x' where position in (5, 7)`,
      "b",
      2,
      /changed/
    ]
  ]
  for (const [what, sql, stream, version, reason] of cases) {
    it.effect(`names ${what}`, () =>
      Effect.gen(function* () {
        const { firstBad } = yield* verifyAfter(sql)
        assert.deepStrictEqual([firstBad?.stream, firstBad?.version], [stream, version], firstBad?.reason)
        assert.match(firstBad!.reason, reason)
      })
    )
  }

  it.effect("of one stream looks at that stream alone", () =>
    Effect.gen(function* () {
      const sql = `update events set "by" = 'x' ${at("a", 1)}`
      assert.deepStrictEqual(yield* verifyAfter(sql, { stream: "b" }), {
        streams: 1,
        events: 3,
        firstBad: null
      })
      assert.strictEqual((yield* verifyAfter(sql, { stream: "a" })).firstBad?.version, 1)
    })
  )
})
