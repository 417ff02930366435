/**
 * A case of the model test: a graph, its records, and what happens to whoever runs it. Plain data, so that
 * it can be told, made smaller, and run again.
 *
 * @module
 */
import { type Roll, rollFrom } from "./Roll.ts"

/** Is this digit of the record below that number? A digit that is null is not below anything. */
export interface Test {
  readonly digit: number
  readonly below: number
}

/** What a stage does. What becomes of a record in it is decided by the record's digits alone. */
export type Does =
  | { readonly kind: "source" }
  | { readonly kind: "filter"; readonly keeps: Test }
  | { readonly kind: "copy"; readonly from: number; readonly to: number }
  /** Nine minus the digit; a dead letter where there is none. */
  | { readonly kind: "flip"; readonly digit: number }
  | { readonly kind: "fail"; readonly on: Test }
  | { readonly kind: "validate"; readonly refuses: Test; readonly onInvalid: "drop" | "dead_letter" }
  | {
      readonly kind: "explode"
      readonly list: number
      readonly into: number
      readonly onEmpty: "drop" | "keep" | "dead_letter"
      readonly limit: number
    }
  | {
      readonly kind: "lookup"
      readonly digit: number
      readonly into: number
      readonly onMiss: "pass_through" | "drop" | "dead_letter" | "default"
    }
  /** Of records with the same digit only the first passes, as long as it is among the last keys that passed. */
  | { readonly kind: "dedupe"; readonly digit: number; readonly remember: number }
  /** A record for each digit and window of event time of so many ms: see `Windows`. */
  | { readonly kind: "aggregate"; readonly by: number; readonly ms: number }
  /** A worker of the program: see `handled`. */
  | { readonly kind: "program"; readonly digit: number }
  | { readonly kind: "sink"; readonly refuses: Test | null; readonly cannotEncode: Test | null }

export interface Node {
  readonly name: string
  readonly does: Does
  /** A contract that records with this digit break when they leave the stage. */
  readonly breaks: Test | null
  readonly edges: ReadonlyArray<{ readonly to: string; readonly when: Test | null }>
}

export type Digit = number | null
/** Its digits; lists of digits to explode, some of them missing; when it happened. */
export interface Item {
  readonly time: number
  readonly digits: ReadonlyArray<Digit>
  readonly lists: ReadonlyArray<ReadonlyArray<number> | null>
}

/** The call of a driver that fails once: before it had its effect, or after. */
export interface Fault {
  readonly operation:
    | "source.open"
    | "source.next"
    | "source.ack"
    | "sink.open"
    | "sink.held"
    | "sink.write"
    | "sink.flush"
  readonly name: string
  readonly nth: number
  readonly phase: "before" | "after"
}

/** A life that is killed at a crossing, or asked there to stop, which it does when what it has begun is written. */
export interface Death {
  readonly how: "killed" | "stopped"
  readonly at: number
  /** The call of a driver in the next life at which a request of this one lands; `null` for none. */
  readonly late: number | null
}

export interface Case {
  /** Sources, then stages, then sinks: every edge leads onwards. */
  readonly nodes: ReadonlyArray<Node>
  /** By source; `null` for a record that its source could not read. */
  readonly records: Readonly<Record<string, ReadonlyArray<Item | null>>>
  /** How late a record may be; `null` where the sources have no event time. */
  readonly late: { readonly allowedMs: number; readonly onLate: "drop" | "dead_letter" } | null
  readonly merge: "arrival" | "round_robin" | "event_time"
  readonly onUnrouted: "dead_letter" | "drop"
  /** More dead letters than `threshold` among the last `window` records of a source end the run; a window of 0 is no limit. */
  readonly deadLetters: { readonly window: number; readonly threshold: number }
  readonly batchSize: number
  readonly inFlight: number
  readonly checkpointInterval: string
  /** Each life that does not see the end, and how it goes. After them one lives to its end. */
  readonly deaths: ReadonlyArray<Death>
  readonly faults: ReadonlyArray<Fault>
  /** Decides which calls take their time, and how long. */
  readonly pace: number
}

export const digits = 5
export const lists = 2

/** The digits that the table of every lookup has no row for. */
export const unknownDigits: ReadonlyArray<number> = [0, 4, 9]
/** What the row of a digit says, and what stands in for a row that is missing. */
export const rowOf = (digit: number): number => (digit * 3 + 1) % 10
export const defaultDigit = 6

export const randomCase = (seed: number): Case => {
  const roll = rollFrom(seed)
  const sources = names("in", 1 + roll.below(roll.oneIn(2) ? 1 : 3))
  const middle = names("m", roll.below(6))
  const sinks = names("out", 1 + roll.below(3))
  const merge =
    sources.length === 1 ? "arrival" : roll.of(["arrival", "arrival", "round_robin", "event_time"])
  const nodes = withinPromises(randomNodes(roll, sources, middle, sinks))
  return {
    nodes,
    records: Object.fromEntries(sources.map((source) => [source, randomItems(roll)])),
    merge,
    late: randomLate(roll, sources, nodes, merge),
    onUnrouted: roll.of(["dead_letter", "drop"]),
    deadLetters: randomLimit(roll, nodes, merge),
    batchSize: 1 + roll.below(5),
    inFlight: 1 + roll.below(3),
    checkpointInterval: roll.of(["0s", "0s", "20ms", "1s"]),
    deaths: Array.from({ length: roll.of([0, 1, 1, 1, 2, 3]) }, () => randomDeath(roll)),
    faults: Array.from({ length: roll.of([0, 0, 0, 1, 2]) }, () => randomFault(roll, sources, sinks)),
    pace: roll.below(1_000_000)
  }
}

const names = (kind: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${kind}${index + 1}`)

const randomNodes = (
  roll: Roll,
  sources: ReadonlyArray<string>,
  middle: ReadonlyArray<string>,
  sinks: ReadonlyArray<string>
): ReadonlyArray<Node> => {
  const edges = new Map<string, Map<string, Test | null>>()
  for (const name of [...sources, ...middle]) edges.set(name, new Map())
  const link = (from: string, to: string) => edges.get(from)!.set(to, roll.oneIn(2) ? randomTest(roll) : null)
  for (const [index, name] of middle.entries()) {
    const before = [...sources, ...middle.slice(0, index)]
    // Two ways in make a fan-in, and a diamond where they come from one stage.
    for (let way = 0; way < 1 + roll.below(2); way++) link(roll.of(before), name)
  }
  for (const sink of sinks) {
    for (let way = 0; way < 1 + roll.below(2); way++) link(roll.of([...sources, ...middle]), sink)
  }
  for (const [name, ways] of edges) if (ways.size === 0) link(name, roll.of(sinks))
  const waysOf = (name: string) => [...edges.get(name)!].map(([to, when]) => ({ to, when }))
  const breaks = () => (roll.oneIn(5) ? { ...randomTest(roll), below: 1 + roll.below(3) } : null)
  return [
    ...sources.map((name) => ({
      name,
      does: { kind: "source" } as const,
      breaks: breaks(),
      edges: waysOf(name)
    })),
    ...middle.map((name) => ({ name, does: randomWork(roll), breaks: breaks(), edges: waysOf(name) })),
    ...sinks.map((name) => ({
      name,
      does: {
        kind: "sink",
        refuses: roll.oneIn(3) ? { ...randomTest(roll), below: 1 + roll.below(3) } : null,
        cannotEncode: roll.oneIn(4) ? { ...randomTest(roll), below: 1 + roll.below(3) } : null
      } as const,
      breaks: null,
      edges: []
    }))
  ]
}

const randomTest = (roll: Roll): Test => ({ digit: roll.below(digits), below: 1 + roll.below(9) })

/** One entry a kind of stage: this is where a new kind joins, beside `handled` in the model and `wireOf`. */
const kinds: ReadonlyArray<(roll: Roll) => Does> = [
  (roll) => ({ kind: "filter", keeps: randomTest(roll) }),
  (roll) => ({ kind: "copy", from: roll.below(digits), to: roll.below(digits) }),
  (roll) => ({ kind: "flip", digit: roll.below(digits) }),
  (roll) => ({ kind: "fail", on: { digit: roll.below(digits), below: 1 + roll.below(3) } }),
  (roll) => ({ kind: "validate", refuses: randomTest(roll), onInvalid: roll.of(["drop", "dead_letter"]) }),
  (roll) => ({
    kind: "explode",
    list: roll.below(lists),
    into: roll.below(digits),
    onEmpty: roll.of(["drop", "keep", "dead_letter"]),
    limit: roll.of([2, 100])
  }),
  (roll) => ({
    kind: "lookup",
    digit: roll.below(digits),
    into: roll.below(digits),
    onMiss: roll.of(["pass_through", "drop", "dead_letter", "default"])
  }),
  (roll) => ({ kind: "program", digit: roll.below(digits) }),
  (roll) => ({ kind: "dedupe", digit: roll.below(digits), remember: 1 + roll.below(8) }),
  (roll) => ({ kind: "aggregate", by: roll.below(digits), ms: roll.of([10, 50, 1000]) })
]

const randomWork = (roll: Roll): Does => roll.of(kinds)(roll)

const remembers = ({ does }: Node): boolean => does.kind === "dedupe" || does.kind === "aggregate"

/**
 * Which piece of a record comes first is nobody's promise, so a stage that remembers is met by one piece of a
 * record at most. What an aggregate makes has no lists.
 */
const withinPromises = (nodes: ReadonlyArray<Node>): ReadonlyArray<Node> => {
  const before = (name: string) => nodes.filter(({ edges }) => edges.some(({ to }) => to === name))
  const ways = (name: string, source: string): number =>
    name === source ? 1 : before(name).reduce((sum, node) => sum + ways(node.name, source), 0)
  const isBehind = (name: string, kinds: ReadonlyArray<string>): boolean =>
    before(name).some(({ does, name }) => kinds.includes(does.kind) || isBehind(name, kinds))
  const sources = nodes.filter(({ does }) => does.kind === "source")
  const promisesMore = (node: Node): boolean => {
    if (node.does.kind === "explode") return isBehind(node.name, ["aggregate"])
    if (!remembers(node)) return false
    const severalWays = sources.some(({ name }) => ways(node.name, name) > 1)
    return severalWays || isBehind(node.name, ["explode", "program", "aggregate"])
  }
  return nodes.map((node) =>
    promisesMore(node) ? { ...node, does: { kind: "copy", from: 0, to: 1 } } : node
  )
}

/** What is late depends on who is faster where there are several sources: they are all given time enough. */
const randomLate = (
  roll: Roll,
  sources: ReadonlyArray<string>,
  nodes: ReadonlyArray<Node>,
  merge: Case["merge"]
): Case["late"] => {
  const isTimed = merge === "event_time" || nodes.some(({ does }) => does.kind === "aggregate")
  if (!isTimed && (sources.length > 1 || !roll.oneIn(4))) return null
  const allowedMs = sources.length > 1 ? 86_400_000 : roll.of([0, 20, 100])
  return { allowedMs, onLate: roll.of(["drop", "dead_letter"]) }
}

const randomItems = (roll: Roll): ReadonlyArray<Item | null> =>
  Array.from({ length: roll.below(roll.of([4, 14])) }, (_, at) =>
    roll.oneIn(15)
      ? null
      : {
          time: 1000 + at * 10 + roll.below(roll.of([10, 60])),
          digits: Array.from({ length: digits }, () => roll.below(10)),
          lists: Array.from({ length: lists }, () =>
            roll.oneIn(5) ? null : Array.from({ length: roll.below(4) }, () => roll.below(10))
          )
        }
  )

/** Where it depends on who is faster which letter is one too many, cases have no limit. */
const randomLimit = (roll: Roll, nodes: ReadonlyArray<Node>, merge: Case["merge"]): Case["deadLetters"] => {
  const refused = nodes.some(({ does }) => does.kind === "sink" && does.refuses !== null)
  return refused || merge !== "arrival" || nodes.some(remembers) || !roll.oneIn(2)
    ? { window: 0, threshold: 0 }
    : { window: 1 + roll.below(8), threshold: roll.below(4) }
}

const randomDeath = (roll: Roll): Death => ({
  how: roll.of(["killed", "killed", "killed", "stopped"]),
  at: 1 + roll.below(roll.of([30, 90])),
  late: roll.oneIn(2) ? roll.below(25) : null
})

const randomFault = (roll: Roll, sources: ReadonlyArray<string>, sinks: ReadonlyArray<string>): Fault => {
  const operation = roll.of([
    ...(["source.open", "source.next", "source.ack", "sink.open", "sink.held"] as const),
    ...(["sink.write", "sink.write", "sink.write", "sink.flush"] as const)
  ])
  return {
    operation,
    name: roll.of(operation.startsWith("source") ? sources : sinks),
    nth: roll.below(5),
    phase: roll.of(["before", "after"])
  }
}
