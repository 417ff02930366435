/**
 * Shapes that remember: windows over two sources, late records, keys seen before. What their sinks must hold in
 * the end is told from the source records alone, by plain loops.
 *
 * @module
 */
import { runtime, sink, source, type Topology } from "./topologies.ts"

interface Event {
  readonly id: number
  readonly at: number
  readonly group: string
}

const lateness = 40
const window = 50

/** Event times go forward by steps, and back by less than the lateness that is allowed. */
const events = (count: number, from: number): ReadonlyArray<Event> =>
  Array.from({ length: count }, (_, index) => ({
    id: from + index,
    at: 1000 + index * 17 + ((index * 13) % 38) - 19,
    group: ["red", "blue", "green"][(index * 5) % 3]!
  }))

const timed = (name: string, of: object = {}) => ({
  ...source(name),
  event_time: { field: "at", format: "unix_ms", allowed_lateness: `${lateness}ms`, ...of }
})

/** The record of each window and group, as a text; in no particular order. */
const windowed = (of: ReadonlyArray<Event>): ReadonlyArray<string> => {
  const found = new Map<string, { count: number; sum: number }>()
  for (const { at, group, id } of of) {
    const start = Math.floor(at / window) * window
    const key = `${group} ${new Date(start).toISOString()}`
    const known = found.get(key) ?? { count: 0, sum: 0 }
    found.set(key, { count: known.count + 1, sum: known.sum + id })
  }
  return [...found].map(([key, { count, sum }]) => `${key} ${count} ${sum}`)
}

const asText = (record: unknown): string => {
  const { group, ids, n, window_start } = record as Record<string, unknown>
  return `${group} ${window_start} ${n} ${ids}`
}

const hourly = (from: unknown) => ({
  from,
  aggregate: {
    window: { tumbling: `${window}ms` },
    by: { group: "record.group" },
    make: { n: "count", ids: { sum: "record.id" } }
  }
})

/** Two sources, one of them nearly done when the other begins to matter; a map behind the aggregate. */
const windows: Topology = {
  definition: {
    name: "windows",
    stages: {
      a: timed("a"),
      b: timed("b"),
      some: { from: ["a", "b"], filter: "record.id % 5 != 0" },
      counted: hourly("some"),
      shaped: { from: "counted", map: { set: { more: "record.n > 1" } } },
      out: { from: "shaped", sink: sink("x") },
      raw: { from: "a", sink: sink("y") }
    },
    runtime
  },
  fill: (hub) => {
    hub.source("a", events(9, 1))
    hub.source("b", events(7, 101))
  },
  told: { x: asText },
  expected: {
    x: windowed([...events(9, 1), ...events(7, 101)].filter(({ id }) => id % 5 !== 0)),
    y: events(9, 1).map(({ id }) => id)
  },
  letters: []
}

/** The same, with the two sources read as one. */
const merged: Topology = {
  ...windows,
  definition: { ...(windows.definition as object), name: "merged", merge: "event_time" }
}

const lateOnes: ReadonlyArray<Event> = events(11, 1).map((event) =>
  event.id === 6 || event.id === 9 ? { ...event, at: event.at - 200 } : event
)

/** One source: what is late follows from it alone. */
const late: Topology = {
  definition: {
    name: "late",
    stages: {
      in: timed("a"),
      counted: hourly("in"),
      out: { from: "counted", sink: sink("x") },
      raw: { from: "in", sink: sink("y") }
    },
    runtime
  },
  fill: (hub) => void hub.source("a", lateOnes),
  told: { x: asText },
  expected: {
    x: windowed(lateOnes.filter(({ id }) => id !== 6 && id !== 9)),
    y: [1, 2, 3, 4, 5, 7, 8, 10, 11]
  },
  letters: [
    { offset: 5, branches: ["out", "raw"] },
    { offset: 8, branches: ["out", "raw"] }
  ]
}

const [refused = "", ...taken] = late.expected.x as ReadonlyArray<string>

/** One window's record is refused by its sink: its letter is that of the aggregate, the first it made in its batch. */
const refusing: Topology = {
  ...late,
  fill: (hub) => {
    late.fill(hub)
    hub.sink("x").refuse = (record) => (asText(record) === refused ? "not this one" : undefined)
  },
  expected: { ...late.expected, x: taken },
  letters: [{ offset: 0, branches: ["out"] }, ...late.letters]
}

const doubled = [0, 1, 2, 0, 3, 1, 4, 4, 5, 6, 0, 7, 2, 8, 6, 9]

/** Keys are forgotten after five others, so a 0 comes through again; one record has no key. */
const dedupe: Topology = {
  definition: {
    name: "dedupe",
    stages: {
      in: source("a"),
      once: { from: "in", dedupe: { key: "record.key", remember: 5 } },
      out: { from: "once", sink: sink("x") },
      rest: { from: { stage: "once", when: "record.id > 7" }, sink: sink("y") }
    },
    runtime
  },
  fill: (hub) =>
    void hub.source(
      "a",
      doubled.map((key, id) => (id === 8 ? { id } : { id, key: `${key}`.repeat(1 + 50 * (key % 2)) }))
    ),
  expected: (() => {
    const known: Array<number> = []
    const passed = doubled.flatMap((key, id) => {
      if (id === 8 || known.slice(-5).includes(key)) return []
      known.push(key)
      return [id]
    })
    return { x: passed, y: passed.filter((id) => id > 7) }
  })(),
  letters: [{ offset: 8, branches: ["out", "rest"] }]
}

/** Two sources whose keys meet, told apart only if they are more than 100 ms of event time away. */
const within: Topology = {
  definition: {
    name: "within",
    stages: {
      in: timed("a", { on_late: "keep" }),
      once: { from: "in", dedupe: { key: "record.group", within: "60ms" } },
      out: { from: "once", sink: sink("x") }
    },
    runtime
  },
  fill: (hub) => void hub.source("a", events(14, 1)),
  expected: (() => {
    const last = new Map<string, number>()
    const passed = events(14, 1).filter(({ at, group }) => {
      const before = last.get(group)
      if (before !== undefined && Math.abs(at - before) <= 60) return false
      last.set(group, Math.max(at, before ?? at))
      return true
    })
    return { x: passed.map(({ id }) => id) }
  })(),
  letters: []
}

export const timedTopologies = { windows, merged, late, refusing, dedupe, within }
