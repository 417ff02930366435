/**
 * Whether a world at rest holds what the model says, told from its sinks, its acknowledgements and the rows of
 * its log alone.
 *
 * @module
 */
import { broken, readLog } from "../oracles.ts"
import { rowsOf, type World } from "../World.ts"
import type { Case } from "./Case.ts"
import { type Fates, type Made, sinksFrom, tell, trippedBy } from "./model.ts"
import { onWire } from "./wireOf.ts"

/** An acknowledgement, and how many rows the log of the pipeline had when it was made. */
export interface SeenAck {
  readonly source: string
  readonly position: number
  readonly rows: number
}

type Log = ReturnType<typeof readLog>

/** Each broken promise as a sentence. */
export const judge = (of: Case, world: World, acks: ReadonlyArray<SeenAck>): ReadonlyArray<string> => {
  const log = readLog(world)
  const told = tell(of, metIn(log))
  return [
    ...broken(world),
    ...brokenAcks(world, acks),
    ...brokenEnd(of, log),
    ...[...told.fates].flatMap(([source, expected]) => [
      ...brokenBatches(of, source, expected, log),
      ...brokenLetters(source, expected, log),
      ...sinksFrom(of, source).flatMap((sink) => brokenSink(source, sink, expected, world))
    ]),
    ...brokenMade(told.made, world, log)
  ]
}

/** The source records in the order of the batches they were first sealed in: stages remember in that order. */
export const metIn = (log: Log): ReadonlyArray<{ readonly source: string; readonly at: number }> =>
  [...log.batches.values()].flatMap(({ count, end, source }) =>
    Array.from({ length: count }, (_, index) => ({ source, at: end - count + index }))
  )

/**
 * A run comes to its end once, with all sources read to theirs; or it fails once, and then one of the sources
 * with too many dead letters was read up to and with the one that is too much, and none further.
 */
const brokenEnd = (of: Case, log: Log): ReadonlyArray<string> => {
  const ends = log.types.filter((type) => type === "Completed" || type === "Failed")
  const sources = Object.entries(of.records).map(([source, items]) => {
    const tripped = trippedBy(of, source)
    const read = batchesOf(log, source).at(-1)?.end ?? 0
    return { source, read, tripped, most: tripped === undefined ? items.length : tripped + 1 }
  })
  const tripped = sources.filter((each) => each.tripped !== undefined)
  const wanted = tripped.length === 0 ? "Completed" : "Failed"
  const far = sources.flatMap(({ most, read, source }) =>
    read > most || (wanted === "Completed" && read < most)
      ? [`${source} was read up to ${read}, not ${most}`]
      : []
  )
  const early =
    wanted === "Failed" && tripped.every(({ most, read }) => read < most)
      ? ["the run has failed before the record that is one too many"]
      : []
  return [
    ...(ends.join() === wanted ? [] : [`the run has ended as ${ends}, not as ${wanted}`]),
    ...far,
    ...early
  ]
}

const batchesOf = (log: Log, source: string) =>
  [...log.batches].flatMap(([ordinal, batch]) =>
    batch.source === source ? [{ ordinal, from: batch.end - batch.count, ...batch }] : []
  )

/** Conservation: the batches of a source are its records in order, and each branch counts the fates of its own. */
const brokenBatches = (
  of: Case,
  source: string,
  expected: ReadonlyArray<Fates>,
  log: Log
): ReadonlyArray<string> => {
  const batches = batchesOf(log, source)
  const wrong: Array<string> = []
  const madeFor = of.nodes.flatMap(({ does, name }) => (does.kind === "aggregate" ? sinksFrom(of, name) : []))
  let next = 0
  for (const { branches, count, end, from, ordinal } of batches) {
    if (from !== next) wrong.push(`batch ${ordinal} of ${source} begins at ${from}, not at ${next}`)
    next = end
    // What an aggregate makes may have other branches: it is told with a batch of whatever source closes its window.
    const owed = count > 0 ? sinksFrom(of, source) : []
    const may = [...sinksFrom(of, source), ...madeFor]
    const wrongNames = [
      ...owed.filter((sink) => !branches.has(sink)),
      ...[...branches.keys()].filter((sink) => !may.includes(sink))
    ]
    if (wrongNames.length > 0)
      wrong.push(`the branches of batch ${ordinal} of ${source} are wrong about ${wrongNames}`)
    for (const [sink, { sealed, winner }] of branches) {
      const counted = sealed.get(winner!)
      const those = expected.slice(from, end).map((record) => record.get(sink) ?? passedBy)
      const pieces = those.reduce((sum, fate) => sum + fate.pieces.length, 0)
      if (counted.records < pieces || (counted.records > pieces && !madeFor.includes(sink))) {
        wrong.push(`batch ${ordinal} has ${counted.records} records for ${sink}, not ${pieces}`)
      }
      for (const outcome of ["delivered", "filtered", "aggregated", "unrouted", "lettered"] as const) {
        const meant = those.filter((fate) => fate.outcome === outcome).length
        if ((counted[outcome] ?? 0) === meant) continue
        wrong.push(`batch ${ordinal} counts ${counted[outcome] ?? 0} ${outcome} for ${sink}, not ${meant}`)
      }
    }
  }
  return [...wrong, ...brokenTotals(source, log)]
}

/** A branch that a source does not lead to. */
const passedBy = { outcome: "filtered", pieces: [] } as const

/** Each seal counts every record of its batch once. */
const brokenTotals = (source: string, log: Log): ReadonlyArray<string> =>
  batchesOf(log, source).flatMap(({ count, ordinal, totals }) =>
    [...totals].flatMap(([attempt, { aggregated = 0, delivered, filtered, lettered, unrouted }]) =>
      aggregated + delivered + filtered + lettered + unrouted === count
        ? []
        : [`the totals of batch ${ordinal}, attempt ${attempt}, are not its ${count} records`]
    )
  )

/** The letters of the winning attempts name exactly the branches that are owed. */
const brokenLetters = (source: string, expected: ReadonlyArray<Fates>, log: Log): ReadonlyArray<string> => {
  const found = batchesOf(log, source).flatMap(({ branches, letters }) =>
    [...branches].flatMap(([sink, { winner }]) =>
      (letters.get(winner!) ?? []).flatMap((letter) =>
        letter.branches.includes(sink) && letter.source === source
          ? [`${letter.source}:${letter.offset} for ${sink}`]
          : []
      )
    )
  )
  const meant = expected.flatMap((record, at) =>
    [...record].flatMap(([sink, { outcome }]) =>
      outcome === "lettered" ? [`${source}:${at} for ${sink}`] : []
    )
  )
  return difference("a dead letter", found, meant)
}

/** Order, and everything once: what a sink holds of a source is what was meant for it, record after record. */
const brokenSink = (
  source: string,
  sink: string,
  expected: ReadonlyArray<Fates>,
  world: World
): ReadonlyArray<string> => {
  const held = world.hub.sink(sink).records.flatMap((record) => {
    const [from, at] = (record as { id: string }).id.split(":")
    return from === source ? [{ at: Number(at), text: textOf(record) }] : []
  })
  const order = held.flatMap(({ at }, index) => {
    const before = held[index - 1]?.at ?? -1
    return at >= before ? [] : [`${sink} holds ${source}:${at} behind ${source}:${before}`]
  })
  const meant = expected.flatMap((record, at) =>
    record.get(sink)!.pieces.map((piece) => textOf(onWire(`${source}:${at}`, piece)))
  )
  return [
    ...order,
    ...difference(
      `in ${sink}`,
      held.map(({ text }) => text),
      meant
    )
  ]
}

/** What aggregates have made: each window once, in the sinks or as a dead letter, whichever batch closed it. */
const brokenMade = (made: ReadonlyArray<Made>, world: World, log: Log): ReadonlyArray<string> => {
  const textsOf = ({ piece }: Made) => textOf(onWire("", piece))
  const sinks = [...world.hub.sinks.values()].flatMap(({ name, records }) => {
    const held = records.filter((record) => (record as { id: string }).id.startsWith("made:"))
    const meant = made.flatMap(({ fates }) => fates.get(name)?.pieces ?? [])
    return difference(
      `in ${name}`,
      held.map(textOf),
      meant.map((piece) => textOf(onWire("", piece)))
    )
  })
  const found = [...log.batches.values()].flatMap(({ branches, letters }) =>
    [...branches].flatMap(([sink, { winner }]) =>
      (letters.get(winner!) ?? []).flatMap((letter) =>
        letter.branches.includes(sink) && made.some(({ stage }) => stage === letter.source)
          ? [`${textOf(JSON.parse(letter.raw.data))} for ${sink}`]
          : []
      )
    )
  )
  const meant = made.flatMap((each) =>
    [...each.fates].flatMap(([sink, { outcome }]) =>
      outcome === "lettered" ? [`${textsOf(each)} for ${sink}`] : []
    )
  )
  return [...sinks, ...difference("a dead letter", found, meant)]
}

/** JSON with its fields in order, and without the time, which only its source looks at. */
const textOf = (record: unknown): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(record as object)
        .filter(([field]) => field !== "time")
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
    )
  )

/** What is there and was not meant, and what was meant and is missing; how often counts. */
const difference = (
  what: string,
  found: ReadonlyArray<string>,
  meant: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const left = new Map<string, number>()
  for (const text of found) left.set(text, (left.get(text) ?? 0) + 1)
  for (const text of meant) left.set(text, (left.get(text) ?? 0) - 1)
  return [...left].flatMap(([text, count]) =>
    count === 0 ? [] : [`${what}: ${text} is ${count > 0 ? "too much" : "missing"}`]
  )
}

/** No early acknowledgement: what the rows of that moment say is settled without a gap. */
const brokenAcks = (world: World, acks: ReadonlyArray<SeenAck>): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  let at = 0
  const open = new Map<
    string,
    Array<{ readonly batch: number; readonly end: number; readonly owed: Set<string> }>
  >()
  const settled = new Map<string, number>()
  const rows = rowsOf(world)
  for (const ack of acks) {
    for (; at < ack.rows; at++) follow(JSON.parse(rows[at]!.payload), open, settled)
    const prefix = settled.get(ack.source) ?? 0
    if (ack.position > prefix) wrong.push(`${ack.source} was told ${ack.position} with ${prefix} settled`)
  }
  return wrong
}

// biome-ignore lint/suspicious/noExplicitAny: an oracle reads the log as an auditor does, without our types
const follow = (event: any, open: Map<string, Array<any>>, settled: Map<string, number>): void => {
  if (event._tag === "BatchSealed" && event.attempt === 1) {
    const branches = Object.entries<{ records: number }>(event.branches)
    const owed = new Set(branches.flatMap(([stage, { records }]) => (records > 0 ? [stage] : [])))
    const batch = { batch: event.batch, end: event.offset + event.count, owed }
    open.set(event.source, [...(open.get(event.source) ?? []), batch])
  }
  if (event._tag === "StageApplied" || event._tag === "DuplicateSuppressed") {
    for (const batches of open.values()) {
      for (const { batch, owed } of batches) if (batch === event.batch) owed.delete(event.stage)
    }
  }
  for (const [source, batches] of open) {
    while (batches[0]?.owed.size === 0) settled.set(source, batches.shift()!.end)
  }
}
