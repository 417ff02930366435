/**
 * What must become of every record of a case on every branch, told as plainly as possible: one record at a
 * time, every end of its way written down, and only then judged.
 *
 * @module
 */
import {
  type Case,
  type Digit,
  defaultDigit,
  type Item,
  type Node,
  rowOf,
  type Test,
  unknownDigits
} from "./Case.ts"
import { nodeOf, sinksFrom } from "./ways.ts"

/** A record on its way. `lists` that are gone are undefined; what an aggregate makes has a few fields `more`. */
export interface Piece {
  readonly more?: Readonly<Record<string, unknown>>
  readonly digits: ReadonlyArray<Digit>
  readonly lists: ReadonlyArray<ReadonlyArray<number> | null | undefined>
}

/** What becomes of a record on one branch, and with what pieces, in no order. */
export interface Fate {
  readonly outcome: "delivered" | "filtered" | "aggregated" | "unrouted" | "lettered"
  readonly pieces: ReadonlyArray<Piece>
}

/** What a stage makes of a piece: others, none, or a dead letter. */
type Handled = ReadonlyArray<Piece> | "failed"

const holds = ({ below, digit }: Test, { digits }: Piece): boolean => {
  const value = digits[digit]
  return typeof value === "number" && value < below
}

/** A contract says what is there, so null breaks it. */
const isBroken = (test: Test, piece: Piece): boolean =>
  piece.digits[test.digit] === null || holds(test, piece)

const put = (piece: Piece, digit: number, value: Digit): Piece => ({
  ...piece,
  digits: piece.digits.map((old, at) => (at === digit ? value : old))
})

/** What the worker of a program does to a piece by one of its digits; asking again changes nothing. */
export const programmed = (value: Digit): "nack" | "filter" | "split" | "none" | "retry" | "set" | "ack" => {
  if (value === null || value === 0) return "nack"
  if (value <= 2) return "filter"
  if (value <= 4) return "split"
  if (value === 5) return "none"
  if (value <= 7) return "retry"
  return value === 8 ? "set" : "ack"
}

const handled = ({ does, name }: Node, piece: Piece, memory: Memory): Handled => {
  switch (does.kind) {
    case "dedupe": {
      const key = piece.digits[does.digit]!
      const known = memory.keys.get(name) ?? []
      if (known.slice(-does.remember).includes(key)) return []
      memory.keys.set(name, [...known, key])
      return [piece]
    }
    case "aggregate":
      return []
    case "source":
      return [piece]
    case "filter":
      return holds(does.keeps, piece) ? [piece] : []
    case "copy":
      return [put(piece, does.to, piece.digits[does.from]!)]
    case "flip": {
      const value = piece.digits[does.digit]!
      return value === null ? "failed" : [put(piece, does.digit, 9 - value)]
    }
    case "fail":
      return isBroken(does.on, piece) ? "failed" : [piece]
    case "validate":
      return !isBroken(does.refuses, piece) ? [piece] : does.onInvalid === "drop" ? [] : "failed"
    case "explode": {
      const list = piece.lists[does.list]
      const rest = { ...piece, lists: piece.lists.map((old, at) => (at === does.list ? undefined : old)) }
      if (list === undefined || list === null || list.length === 0) {
        if (does.onEmpty === "keep") return [put(rest, does.into, null)]
        return does.onEmpty === "drop" ? [] : "failed"
      }
      return list.length > does.limit ? "failed" : list.map((element) => put(rest, does.into, element))
    }
    case "lookup": {
      const value = piece.digits[does.digit]!
      if (value !== null && !unknownDigits.includes(value)) return [put(piece, does.into, rowOf(value))]
      if (does.onMiss === "default") return [put(piece, does.into, defaultDigit)]
      if (does.onMiss === "pass_through") return [piece]
      return does.onMiss === "drop" ? [] : "failed"
    }
    case "program": {
      const value = piece.digits[does.digit]!
      const what = programmed(value)
      if (what === "nack") return "failed"
      if (what === "filter" || what === "none") return []
      if (what === "split") return [piece, put(piece, does.digit, value! + 5)]
      return what === "set" ? [put(piece, does.digit, 0)] : [piece]
    }
    case "sink":
      return does.cannotEncode !== null && holds(does.cannotEncode, piece) ? "failed" : [piece]
  }
}

interface End {
  readonly at: Node
  readonly how: "delivered" | "failed" | "refused" | "unrouted" | "aggregated"
  readonly piece: Piece
}

/** Every end of the way of a piece that has come to this stage. What is filtered has none. */
const ends = (of: Case, node: Node, piece: Piece, memory: Memory): ReadonlyArray<End> => {
  if (node.does.kind === "aggregate") return [{ at: node, how: "aggregated", piece }]
  const made = handled(node, piece, memory)
  if (made === "failed") return [{ at: node, how: "failed", piece }]
  return made.flatMap((one) => endsBehind(of, node, one, memory))
}

/** The same, of a piece that the stage has made. */
const endsBehind = (of: Case, node: Node, piece: Piece, memory: Memory): ReadonlyArray<End> => {
  if (node.breaks !== null && isBroken(node.breaks, piece)) return [{ at: node, how: "failed", piece }]
  if (node.does.kind === "sink") {
    const refused = node.does.refuses !== null && holds(node.does.refuses, piece)
    return [{ at: node, how: refused ? "refused" : "delivered", piece }]
  }
  const ways = node.edges.filter(({ when }) => when === null || holds(when, piece))
  if (ways.length > 0) return ways.flatMap(({ to }) => ends(of, nodeOf(of, to), piece, memory))
  return [{ at: node, how: of.onUnrouted === "drop" ? "unrouted" : "failed", piece }]
}

/** What the stages of a run know by now. */
interface Memory {
  /** The keys that a dedupe let pass. */
  readonly keys: Map<string, ReadonlyArray<Digit>>
  /** The latest event time of each source. */
  readonly marks: Map<string, number>
  /** What each aggregate has taken in, with its event time. */
  readonly taken: Map<string, ReadonlyArray<{ readonly piece: Piece; readonly time: number }>>
}

export type Fates = ReadonlyMap<string, Fate>

/** A record that an aggregate has made, and what becomes of it. */
export interface Made {
  readonly stage: string
  readonly piece: Piece
  readonly fates: Fates
}

export interface Told {
  /** Of each source, record by record. */
  readonly fates: ReadonlyMap<string, ReadonlyArray<Fates>>
  /** When all windows are closed. */
  readonly made: ReadonlyArray<Made>
}

/** The records of a case, in the order in which a run has met them. */
export const tell = (of: Case, met: Iterable<{ readonly source: string; readonly at: number }>): Told => {
  const memory: Memory = { keys: new Map(), marks: new Map(), taken: new Map() }
  const told = new Map(Object.keys(of.records).map((source): [string, Array<Fates>] => [source, []]))
  for (const { at, source } of met) {
    told.get(source)!.push(fatesOf(of, source, of.records[source]![at]!, memory))
  }
  const made = [...memory.taken].flatMap(([stage, taken]) => {
    const node = nodeOf(of, stage)
    return windows(node, taken).map((piece): Made => {
      const { fates } = judged(endsBehind(of, node, piece, memory), of, stage)
      return { stage, piece, fates }
    })
  })
  return { fates: told, made }
}

/** The fate of a record on each branch of its source. */
const fatesOf = (of: Case, source: string, item: Item | null, memory: Memory): Fates => {
  const start = nodeOf(of, source)
  const all =
    item === null
      ? unread(start)
      : isLate(of, source, item, memory)
        ? late(of, start)
        : ends(of, start, item, memory)
  const { fates, taken } = judged(all, of, source)
  for (const { at, piece } of taken) {
    memory.taken.set(at.name, [...(memory.taken.get(at.name) ?? []), { piece, time: item!.time }])
  }
  return fates
}

const unread = (at: Node): ReadonlyArray<End> => [{ at, how: "failed", piece: { digits: [], lists: [] } }]
const late = (of: Case, start: Node): ReadonlyArray<End> => (of.late?.onLate === "drop" ? [] : unread(start))

const isLate = (of: Case, source: string, { time }: Item, { marks }: Memory): boolean => {
  if (of.late === null) return false
  const mark = Math.max(marks.get(source) ?? time, time)
  marks.set(source, mark)
  return time < mark - of.late.allowedMs
}

/** What the ends of a record come to on each branch, and what of it stays taken in by aggregates. */
const judged = (
  all: ReadonlyArray<End>,
  of: Case,
  from: string
): { fates: Fates; taken: ReadonlyArray<End> } => {
  const sinks = (end: End) => sinksFrom(of, end.at.name)
  const ended = (how: End["how"]) => all.filter((end) => end.how === how)
  // One failed piece is enough: the dead letter holds the record whole, so nothing of it is delivered, and
  // an aggregate that leads to such a branch takes nothing of it in, for none of its branches.
  const failed = new Set(ended("failed").flatMap(sinks))
  let taken = ended("aggregated")
  for (let before = -1; before !== taken.length; ) {
    before = taken.length
    for (const end of taken)
      if (sinks(end).some((sink) => failed.has(sink))) for (const sink of sinks(end)) failed.add(sink)
    taken = taken.filter((end) => !sinks(end).some((sink) => failed.has(sink)))
  }
  const reaches = (ends: ReadonlyArray<End>, sink: string) => ends.some((end) => sinks(end).includes(sink))
  const fate = (sink: string): Fate => {
    if (failed.has(sink) || reaches(ended("refused"), sink)) return { outcome: "lettered", pieces: [] }
    const pieces = ended("delivered").flatMap(({ at, piece }) => (at.name === sink ? [piece] : []))
    if (pieces.length > 0) return { outcome: "delivered", pieces }
    if (reaches(taken, sink)) return { outcome: "aggregated", pieces }
    return { outcome: reaches(ended("unrouted"), sink) ? "unrouted" : "filtered", pieces }
  }
  return { fates: new Map(sinksFrom(of, from).map((sink) => [sink, fate(sink)])), taken }
}

/** A piece for each window: the digit it is grouped by, of the others the least or, of every second one, the largest. */
const windows = (
  { does, name }: Node,
  taken: ReadonlyArray<{ readonly piece: Piece; readonly time: number }>
): ReadonlyArray<Piece> => {
  if (does.kind !== "aggregate") return []
  const groups = new Map<string, Array<{ readonly piece: Piece; readonly start: number }>>()
  for (const { piece, time } of taken) {
    const start = time - (time % does.ms)
    const key = `${start} ${piece.digits[does.by]}`
    groups.set(key, [...(groups.get(key) ?? []), { piece, start }])
  }
  return [...groups.values()].map((group) => {
    const { piece, start } = group[0]!
    const digits = piece.digits.map((own, at) => {
      const known = group.flatMap(({ piece }) => (piece.digits[at] === null ? [] : [piece.digits[at]!]))
      if (at === does.by) return own
      return known.length === 0 ? null : at % 2 === 1 ? Math.min(...known) : Math.max(...known)
    })
    const [window_start, window_end] = [start, start + does.ms].map((at) => new Date(at).toISOString())
    const more = { id: `made:${name}`, window_start, window_end, n: group.length }
    return { digits, lists: piece.lists.map(() => undefined), more }
  })
}

/** The record of a source whose dead letter is one too many; `undefined` where all of them are borne. */
export const trippedBy = (of: Case, source: string): number | undefined => {
  const { threshold, window } = of.deadLetters
  if (window === 0) return undefined
  const recent: Array<number> = []
  const { fates } = tell(
    of,
    of.records[source]!.map((_, at) => ({ source, at }))
  )
  for (const [at, fate] of fates.get(source)!.entries()) {
    if (![...fate.values()].some(({ outcome }) => outcome === "lettered")) continue
    recent.push(at)
    if (recent.filter((other) => other > at - window).length > threshold) return at
  }
  return undefined
}
