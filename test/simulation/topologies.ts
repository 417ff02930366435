/**
 * The shapes every crash point is tried on, each with what its sinks must hold in the end.
 *
 * @module
 */
import type { MemoryHub } from "../../src/drivers/memory/MemoryHub.ts"

interface Item {
  readonly id: number
  readonly size: number
}

export interface Topology {
  readonly definition: unknown
  fill(hub: MemoryHub): void
  /** Record ids each sink holds in the end, in order (per source, where several meet). */
  readonly expected: Readonly<Record<string, ReadonlyArray<number | string>>>
  /** Of a sink whose records have no ids: each as a text; their order is then not told. */
  readonly told?: Readonly<Record<string, (record: unknown) => string>>
  /** Offsets of the dead letters with the branches they are owed on, per source stage in order. */
  readonly letters: ReadonlyArray<{ readonly offset: number; readonly branches: ReadonlyArray<string> }>
  /** The memory sink that its dead letters go to. */
  readonly letterSink?: string
  /** Offsets of the letters that this sink does not take. */
  readonly unsent?: ReadonlyArray<number>
  /** Sources that meet have one order between them, the same in every life. */
  readonly isMerged?: true
}

const items = (count: number, from = 0): ReadonlyArray<Item> =>
  Array.from({ length: count }, (_, index) => ({ id: from + index, size: (index * 7) % 10 }))

export const source = (name: string) => ({ source: { use: "memory", name } })
export const sink = (name: string) => ({ use: "memory", name })
/** Small batches, so that few records make many crossings; everything durable at once. */
export const runtime = { batch_size: 3, in_flight: 2, checkpoint_interval: "0s" }
const ids = (of: ReadonlyArray<Item>): ReadonlyArray<number> => of.map(({ id }) => id)

const linear: Topology = {
  definition: {
    name: "linear",
    stages: {
      in: source("a"),
      big: { from: "in", filter: "record.size > 3" },
      out: { from: "big", sink: sink("x") }
    },
    runtime
  },
  fill: (hub) => void hub.source("a", items(11)),
  expected: { x: ids(items(11).filter(({ size }) => size > 3)) },
  letters: []
}

/** Batches with nothing for the sink are settled by their seal; here most of them are. */
const sparse: Topology = {
  definition: {
    name: "sparse",
    stages: {
      in: source("a"),
      big: { from: "in", filter: "record.id == 7" },
      out: { from: "big", sink: sink("x") }
    },
    runtime
  },
  fill: (hub) => void hub.source("a", items(14)),
  expected: { x: [7] },
  letters: []
}

const fanOut: Topology = {
  definition: {
    name: "fan-out",
    stages: {
      in: source("a"),
      all: { from: "in", sink: sink("x") },
      big: { from: { stage: "in", when: "record.size > 5" }, sink: sink("y") },
      small: { from: { stage: "in", when: "record.size < 4" }, sink: sink("z") }
    },
    runtime
  },
  fill: (hub) => void hub.source("a", items(10)),
  expected: {
    x: ids(items(10)),
    y: ids(items(10).filter(({ size }) => size > 5)),
    z: ids(items(10).filter(({ size }) => size < 4))
  },
  letters: []
}

const fanIn: Topology = {
  definition: {
    name: "fan-in",
    stages: {
      left: source("a"),
      right: source("b"),
      kept: { from: "right", filter: "record.size != 4" },
      out: { from: ["left", "kept"], sink: sink("x") }
    },
    runtime
  },
  fill: (hub) => {
    hub.source("a", items(7))
    hub.source("b", items(8, 100))
  },
  expected: { x: [...ids(items(7)), ...ids(items(8, 100).filter(({ size }) => size !== 4))] },
  letters: []
}

/** A failing expression, a record its source could not read, one a sink refuses, one it cannot encode. */
const letters: Topology = {
  definition: {
    name: "letters",
    stages: {
      in: source("a"),
      shaped: { from: "in", map: { id: "record.id", twice: "record.size * 2" } },
      plain: { from: "in", sink: sink("x") },
      mapped: { from: "shaped", sink: sink("y") }
    },
    runtime
  },
  fill: (hub) => {
    const payloads: ReadonlyArray<unknown> = items(12).map((item) => (item.id === 4 ? { id: 4 } : item))
    hub.sourceOf(
      "a",
      payloads.map((payload, index) =>
        index === 8
          ? { payload: null, metadata: {}, failure: { code: "malformed_json", message: "broken" } }
          : { payload, metadata: {} }
      )
    )
    hub.sink("x").refuse = (record) => ((record as Item).id === 6 ? "not this one" : undefined)
    hub.sink("y").encode = (payload) => {
      if ((payload as Item).id === 10) throw new Error("does not fit")
      return payload
    }
  },
  expected: { x: [0, 1, 2, 3, 4, 5, 7, 9, 10, 11], y: [0, 1, 2, 3, 5, 6, 7, 9, 11] },
  letters: [
    { offset: 4, branches: ["mapped"] },
    { offset: 6, branches: ["plain"] },
    { offset: 8, branches: ["plain", "mapped"] },
    { offset: 10, branches: ["mapped"] }
  ]
}

const lookup: Topology = {
  definition: {
    name: "lookup",
    stages: {
      in: source("a"),
      named: {
        from: "in",
        lookup: { use: "memory", name: "sizes", match: { size: "size" }, into: "of", on_miss: "drop" }
      },
      out: { from: { stage: "named", when: 'record.of.name != "four"' }, sink: sink("x") },
      rest: { from: "named", sink: sink("y") }
    },
    runtime
  },
  fill: (hub) => {
    hub.source("a", items(9))
    hub.lookup("sizes", [
      { size: 0, name: "zero" },
      { size: 7, name: "seven" },
      { size: 4, name: "four" }
    ])
  },
  expected: { x: [0, 1], y: [0, 1, 2] },
  letters: []
}

/**
 * Records that become many: of the third one piece fits no contract, of the sixth one is refused by the sink.
 * Each leaves its branch whole, and stays on the other.
 */
const exploded: Topology = {
  definition: {
    name: "exploded",
    stages: {
      in: source("a"),
      parts: { from: "in", explode: { field: "parts" } },
      valid: { from: "parts", validate: { contract: { id: "number", ok: "boolean?" } } },
      out: { from: "valid", sink: sink("x") },
      whole: { from: "in", sink: sink("y") }
    },
    runtime
  },
  fill: (hub) => {
    const parts = (id: number) => Array.from({ length: 1 + (id % 3) }, (_, part) => ({ id: id * 10 + part }))
    hub.source(
      "a",
      items(7).map((item) => ({
        ...item,
        parts: item.id === 2 ? [{ id: 20 }, { id: 21, ok: "no" }] : parts(item.id)
      }))
    )
    hub.sink("x").refuse = (record) => ((record as Item).id === 51 ? "not this one" : undefined)
  },
  expected: { x: [0, 10, 11, 30, 40, 41, 60], y: [0, 1, 2, 3, 4, 5, 6] },
  letters: [
    { offset: 2, branches: ["out"] },
    { offset: 5, branches: ["out"] }
  ]
}

/** The same by a table that is asked: a route that waits. */
const asked: Topology = {
  definition: {
    name: "asked",
    stages: {
      in: source("a"),
      named: {
        from: "in",
        lookup: {
          ...{ use: "memory", name: "sizes", match: { size: "size" }, into: "of", on_miss: "dead_letter" },
          cache: { size: 1 }
        }
      },
      out: { from: { stage: "named", when: 'record.of.name != "four"' }, sink: sink("x") },
      rest: { from: "named", sink: sink("y") }
    },
    runtime
  },
  fill: (hub) => {
    hub.source("a", items(5))
    hub.remoteLookup("sizes", [
      { size: 0, name: "zero" },
      { size: 7, name: "seven" },
      { size: 4, name: "four" },
      { size: 8, name: "eight" }
    ])
  },
  expected: { x: [0, 1, 4], y: [0, 1, 2, 4] },
  letters: [{ offset: 3, branches: ["out", "rest"] }]
}

export const topologies: Readonly<Record<string, Topology>> = {
  linear,
  sparse,
  fanOut,
  fanIn,
  letters,
  lookup,
  asked,
  exploded
}
