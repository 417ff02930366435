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

/** A record on its way. `lists` that are gone are undefined. */
export interface Piece {
  readonly digits: ReadonlyArray<Digit>
  readonly lists: ReadonlyArray<ReadonlyArray<number> | null | undefined>
}

/** What becomes of a record on one branch, and with what pieces, in no order. */
export interface Fate {
  readonly outcome: "delivered" | "filtered" | "unrouted" | "lettered"
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

const handled = ({ does }: Node, piece: Piece): Handled => {
  switch (does.kind) {
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
      if (does.cannotEncode !== null && holds(does.cannotEncode, piece)) return "failed"
      return does.refuses !== null && holds(does.refuses, piece) ? "failed" : [piece]
  }
}

type End = { readonly at: Node; readonly how: "delivered" | "failed" | "unrouted"; readonly piece: Piece }

/** Every end of the way of a piece that has come to this stage. What is filtered has none. */
const ends = (of: Case, node: Node, piece: Piece): ReadonlyArray<End> => {
  const made = handled(node, piece)
  if (made === "failed") return [{ at: node, how: "failed", piece }]
  return made.flatMap((one): ReadonlyArray<End> => {
    if (node.breaks !== null && isBroken(node.breaks, one)) return [{ at: node, how: "failed", piece: one }]
    if (node.does.kind === "sink") return [{ at: node, how: "delivered", piece: one }]
    const ways = node.edges.filter(({ when }) => when === null || holds(when, one))
    if (ways.length > 0) return ways.flatMap(({ to }) => ends(of, nodeOf(of, to), one))
    return [{ at: node, how: of.onUnrouted === "drop" ? "unrouted" : "failed", piece: one }]
  })
}

export const nodeOf = (of: Case, name: string): Node => of.nodes.find((node) => node.name === name)!

/** The sinks that can be reached from a stage, whatever the conditions say. */
export const sinksFrom = (of: Case, name: string): ReadonlyArray<string> => {
  const seen = new Set([name])
  for (const at of seen) for (const { to } of nodeOf(of, at).edges) seen.add(to)
  return of.nodes.flatMap((node) => (node.does.kind === "sink" && seen.has(node.name) ? [node.name] : []))
}

/** The fate of a record on each branch of its source. */
export const fates = (of: Case, source: string, item: Item | null): ReadonlyMap<string, Fate> => {
  const start = nodeOf(of, source)
  const all: ReadonlyArray<End> =
    item === null ? [{ at: start, how: "failed", piece: { digits: [], lists: [] } }] : ends(of, start, item)
  const concerned = (how: End["how"], sink: string) =>
    all.filter((end) => end.how === how && sinksFrom(of, end.at.name).includes(sink))
  return new Map(
    sinksFrom(of, source).map((sink): [string, Fate] => {
      // One failed piece is enough: the dead letter holds the record whole, so nothing of it is delivered.
      if (concerned("failed", sink).length > 0) return [sink, { outcome: "lettered", pieces: [] }]
      const pieces = concerned("delivered", sink).map(({ piece }) => piece)
      if (pieces.length > 0) return [sink, { outcome: "delivered", pieces }]
      return [sink, { outcome: concerned("unrouted", sink).length > 0 ? "unrouted" : "filtered", pieces }]
    })
  )
}

/** The record of a source whose dead letter is one too many; `undefined` where all of them are borne. */
export const trippedBy = (of: Case, source: string): number | undefined => {
  const { threshold, window } = of.deadLetters
  const recent: Array<number> = []
  for (const [at, item] of of.records[source]!.entries()) {
    const lettered = [...fates(of, source, item).values()].some(({ outcome }) => outcome === "lettered")
    if (!lettered) continue
    recent.push(at)
    if (window > 0 && recent.filter((other) => other > at - window).length > threshold) return at
  }
  return undefined
}
