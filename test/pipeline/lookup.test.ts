/**
 * Enrichment in a pipeline: every way to take a miss, and a table that is away.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DriverError } from "../../src/drivers/DriverError.ts"
import { makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { hosting } from "./hosting.ts"

const away = new DriverError({
  driver: "memory",
  operation: "find",
  reason: { _tag: "Unavailable", code: "away", message: "the table is away" }
})

const stages = (lookup: object) => ({
  in: { source: { use: "memory", name: "in" } },
  named: { from: "in", lookup: { use: "memory", name: "ports", match: { origin: "code" }, ...lookup } },
  out: { from: "named", sink: { use: "memory", name: "out" } }
})
const ports = [
  { code: "LAX", city: "Los Angeles", state: "CA" },
  { code: "LAX", city: "second of its code", state: "XX" },
  { code: 7, city: "a number" },
  { code: null, city: "nowhere" }
]
const records = [{ origin: "LAX" }, { origin: "7" }, { origin: 7 }, { origin: null }, { none: 1 }]

const completed = ({ lifecycle }: { readonly lifecycle: string }) => lifecycle === "Completed"

describe("every way to take a miss, of a table that is held and of one that is asked", () => {
  const la = { city: "Los Angeles", state: "CA" }
  const number = { city: "a number", state: null }
  const cases: ReadonlyArray<readonly [string, object, ReadonlyArray<unknown>, ReadonlyArray<string>]> = [
    [
      "pass_through, the default",
      { take: ["city", "state"], into: "port" },
      [
        { origin: "LAX", port: la },
        { origin: "7" },
        { origin: 7, port: number },
        { origin: null },
        { none: 1 }
      ],
      []
    ],
    [
      "drop, merged",
      { take: ["city", "state"], on_miss: "drop" },
      [
        { origin: "LAX", ...la },
        { origin: 7, ...number }
      ],
      []
    ],
    [
      "default",
      { take: ["city"], on_miss: "default", default: { city: "?" } },
      [
        { origin: "LAX", city: "Los Angeles" },
        { origin: "7", city: "?" },
        { origin: 7, city: "a number" },
        { origin: null, city: "?" },
        { none: 1, city: "?" }
      ],
      []
    ],
    [
      "default, into",
      { take: ["city"], on_miss: "default", default: "unknown", into: "port" },
      [
        { origin: "LAX", port: { city: "Los Angeles" } },
        { origin: "7", port: "unknown" },
        { origin: 7, port: { city: "a number" } },
        { origin: null, port: "unknown" },
        { none: 1, port: "unknown" }
      ],
      []
    ],
    [
      "dead_letter",
      { take: ["city"], on_miss: "dead_letter" },
      [
        { origin: "LAX", city: "Los Angeles" },
        { origin: 7, city: "a number" }
      ],
      [`nothing matches ["7"]`, "nothing matches [null]", "nothing matches [null]"]
    ]
  ]
  for (const [name, lookup, expected, letters] of cases) {
    for (const table of ["lookup", "remoteLookup"] as const) {
      it.effect(`${name} (${table})`, () => {
        const hub = makeMemoryHub()
        hub.source("in", records)
        hub[table]("ports", ports)
        return hosting(hub, stages(lookup), ({ events, start, until }) =>
          Effect.gen(function* () {
            yield* start
            yield* until(completed)
            assert.deepStrictEqual(hub.sink("out").records, expected)
            const sealed = events().flatMap((event) => (event._tag === "BatchSealed" ? event.letters : []))
            assert.deepStrictEqual(
              sealed.map(({ reason }) => reason.message),
              letters
            )
          })
        )
      })
    }
  }
})

it.effect(
  "a table that is asked is asked once for all records of a batch, and not for what is no key",
  () => {
    const hub = makeMemoryHub()
    hub.source("in", [...records, ...records])
    const table = hub.remoteLookup("ports", ports)
    return hosting(hub, stages({}), ({ start, until }) =>
      Effect.gen(function* () {
        yield* start
        yield* until(completed)
        assert.deepStrictEqual(table.asked, [[["LAX"], ["7"], [7]]])
      })
    )
  }
)

it.effect("a table that is away makes the pipeline unavailable, and never a dead letter", () => {
  const hub = makeMemoryHub()
  const many = Array.from({ length: 50 }, (_, n) => ({ n, origin: n % 2 === 0 ? "LAX" : "SFO" }))
  hub.source("in", many)
  hub.remoteLookup("ports", ports)
  let isAway = false
  hub.interpose(({ operation, ordinal, phase }) => {
    if (operation !== "lookup.find" || phase !== "before") return Effect.void
    if (ordinal === 2) isAway = true
    return isAway ? Effect.fail(away) : Effect.void
  })
  const settings = { runtime: { batch_size: 5, checkpoint_interval: "0s" } }
  const lookup = { on_miss: "dead_letter", cache: { size: 0 } }
  return hosting(
    hub,
    stages(lookup),
    ({ events, start, whileTimePasses }) =>
      Effect.gen(function* () {
        yield* start
        const lost = yield* whileTimePasses(({ deployment }) => deployment === "Unavailable")
        assert.deepStrictEqual([lost.lifecycle, lost.deploymentError?.code], ["Crashed", "away"])
        assert.match(lost.deploymentError?.message ?? "", /^named: /)
        const retries = events().filter((event) => event._tag === "Retried")
        assert.deepStrictEqual(
          retries.map(({ stage }) => stage),
          ["named", "named", "named", "named", "named"]
        )
        isAway = false
        yield* whileTimePasses(completed)
        assert.deepStrictEqual(
          hub.sink("out").records,
          many
            .filter(({ origin }) => origin === "LAX")
            .map((record) => ({ ...record, code: "LAX", city: "Los Angeles", state: "CA" }))
        )
        const letters = events().flatMap((event) => (event._tag === "BatchSealed" ? event.letters : []))
        // Each miss once, whatever was tried meanwhile: the outage itself made none.
        assert.lengthOf(letters, 25)
        assert.isTrue(letters.every(({ reason }) => reason.code === "lookup_miss"))
      }),
    { ...settings, dead_letters: { window: 0, threshold: 0 } }
  )
})
