/**
 * Shapes of sources that are read as one, with what their sinks must hold in the end, in its order.
 *
 * @module
 */
import { timedTopologies } from "./timedTopologies.ts"
import { runtime, sink, source, type Topology } from "./topologies.ts"

const items = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ id: from + index, size: (index * 7) % 10 }))

const timed = (name: string) => ({
  ...source(name),
  event_time: { field: "at", format: "unix_s", allowed_lateness: "1m" }
})
/** Every third record of a happened after the next one: it goes when its turn comes, as its source has it. */
const early = Array.from({ length: 9 }, (_, id) => ({ id, at: id % 3 === 2 ? id * 10 + 15 : id * 10 }))
const late = Array.from({ length: 7 }, (_, id) => ({ id: 100 + id, at: id === 4 ? "noon" : id * 13 }))

/** Units are begun in one batch and end in another; one record has no time, and one sink is of one side alone. */
const fanInByTime: Topology = {
  definition: {
    name: "fan-in-by-time",
    stages: {
      a: timed("a"),
      b: timed("b"),
      kept: { from: "b", filter: "record.id != 102" },
      out: { from: ["a", "kept"], sink: sink("x") },
      alone: { from: "a", sink: sink("y") }
    },
    merge: "event_time",
    runtime
  },
  fill: (hub) => {
    hub.source("a", early)
    hub.source("b", late)
  },
  expected: {
    x: [0, 100, 1, 101, 2, 3, 103, 4, 5, 6, 105, 7, 106, 8],
    y: [0, 1, 2, 3, 4, 5, 6, 7, 8]
  },
  letters: [{ offset: 8, branches: ["out"] }],
  isMerged: true
}

const fanInByTurns: Topology = {
  definition: {
    name: "fan-in-by-turns",
    stages: {
      a: source("a"),
      b: source("b"),
      c: source("c"),
      both: { from: ["a", "b"], filter: "record.size != 4" },
      out: { from: ["both", "c"], sink: sink("x") }
    },
    merge: "round_robin",
    runtime
  },
  fill: (hub) => {
    hub.source("a", items(4))
    hub.source("b", items(7, 100))
    hub.source("c", items(2, 200))
  },
  expected: { x: [0, 100, 200, 1, 101, 201, 3, 103, 104, 105, 106] },
  letters: [],
  isMerged: true
}

/** What batches leave behind for the next, also where two sources make one batch. */
const windowsByTime: Topology = {
  ...timedTopologies.windows!,
  definition: { ...(timedTopologies.windows!.definition as object), merge: "event_time" },
  isMerged: true
}

export const mergedTopologies = {
  fanInByTime,
  fanInByTurns,
  windowsByTime
} satisfies Readonly<Record<string, Topology>>
