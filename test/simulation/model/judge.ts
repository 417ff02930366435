/**
 * Whether a world at rest holds what the model says, told from its sinks, its acknowledgements and the rows of
 * its log alone.
 *
 * @module
 */
import { broken, readLog } from "../oracles.ts"
import { rowsOf, type World } from "../World.ts"
import type { Case } from "./Case.ts"
import { type Fate, fates, sinksFrom, trippedBy } from "./model.ts"
import { onWire } from "./wireOf.ts"

/** An acknowledgement, and how many rows the log of the pipeline had when it was made. */
export interface SeenAck {
  readonly source: string
  readonly position: number
  readonly rows: number
}

type Fates = ReadonlyArray<ReadonlyMap<string, Fate>>
type Log = ReturnType<typeof readLog>

/** Each broken promise as a sentence. */
export const judge = (of: Case, world: World, acks: ReadonlyArray<SeenAck>): ReadonlyArray<string> => {
  const log = readLog(world)
  return [
    ...broken(world),
    ...brokenAcks(world, acks),
    ...brokenEnd(of, log),
    ...Object.entries(of.records).flatMap(([source, items]) => {
      const read = batchesOf(log, source).at(-1)?.end ?? 0
      const expected = items.slice(0, read).map((item) => fates(of, source, item))
      return [
        ...brokenBatches(of, source, expected, log),
        ...brokenLetters(source, expected, log),
        ...sinksFrom(of, source).flatMap((sink) => brokenSink(source, sink, expected, world))
      ]
    })
  ]
}

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
const brokenBatches = (of: Case, source: string, expected: Fates, log: Log): ReadonlyArray<string> => {
  const batches = batchesOf(log, source)
  const wrong: Array<string> = []
  let next = 0
  for (const { branches, end, from, ordinal } of batches) {
    if (from !== next) wrong.push(`batch ${ordinal} of ${source} begins at ${from}, not at ${next}`)
    next = end
    const names = [...branches.keys()].toSorted().join()
    const owed = sinksFrom(of, source).toSorted().join()
    if (names !== owed) wrong.push(`batch ${ordinal} of ${source} has the branches ${names}, not ${owed}`)
    for (const [sink, { sealed, winner }] of branches) {
      const counted = sealed.get(winner!)
      const those = expected.slice(from, end).map((record) => record.get(sink)!)
      const pieces = those.reduce((sum, fate) => sum + fate.pieces.length, 0)
      if (counted.records !== pieces) {
        wrong.push(`batch ${ordinal} has ${counted.records} records for ${sink}, not ${pieces}`)
      }
      for (const outcome of ["delivered", "filtered", "unrouted", "lettered"] as const) {
        const meant = those.filter((fate) => fate.outcome === outcome).length
        if (counted[outcome] === meant) continue
        wrong.push(`batch ${ordinal} counts ${counted[outcome]} ${outcome} for ${sink}, not ${meant}`)
      }
    }
  }
  return [...wrong, ...brokenTotals(source, log)]
}

/** Each seal counts every record of its batch once. */
const brokenTotals = (source: string, log: Log): ReadonlyArray<string> =>
  batchesOf(log, source).flatMap(({ count, ordinal, totals }) =>
    [...totals].flatMap(([attempt, { delivered, filtered, lettered, unrouted }]) =>
      delivered + filtered + lettered + unrouted === count
        ? []
        : [`the totals of batch ${ordinal}, attempt ${attempt}, are not its ${count} records`]
    )
  )

/** The letters of the winning attempts name exactly the branches that are owed. */
const brokenLetters = (source: string, expected: Fates, log: Log): ReadonlyArray<string> => {
  const found = batchesOf(log, source).flatMap(({ branches, letters }) =>
    [...branches].flatMap(([sink, { winner }]) =>
      (letters.get(winner!) ?? []).flatMap((letter) =>
        letter.branches.includes(sink) ? [`${letter.source}:${letter.offset} for ${sink}`] : []
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
const brokenSink = (source: string, sink: string, expected: Fates, world: World): ReadonlyArray<string> => {
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

/** JSON with its fields in order. */
const textOf = (record: unknown): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(record as object).toSorted(([a], [b]) => (a < b ? -1 : 1)))
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
