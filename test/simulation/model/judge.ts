/**
 * Whether a world at rest holds what the model says, told from its sinks, its acknowledgements and the rows of
 * its log alone.
 *
 * @module
 */
import { broken, readLog } from "../oracles.ts"
import type { World } from "../World.ts"
import { brokenAcks, type SeenAck } from "./brokenAcks.ts"
import type { Case } from "./Case.ts"
import { type Expected, expectedOf } from "./expectedOf.ts"
import { type Made, trippedBy } from "./model.ts"
import { sinksFrom } from "./ways.ts"
import { onWire } from "./wireOf.ts"

type Log = ReturnType<typeof readLog>

/** Each broken promise as a sentence. */
export const judge = (of: Case, world: World, acks: ReadonlyArray<SeenAck>): ReadonlyArray<string> => {
  const log = readLog(world)
  const { expected, made } = expectedOf(of, log)
  return [
    ...broken(world),
    ...brokenAcks(world, acks, expected),
    ...brokenEnd(of, log, expected),
    ...[...log.batches].flatMap(([ordinal, { source }]) =>
      expected.has(source) ? [] : [`batch ${ordinal} is of ${source}, which are not to be read as one`]
    ),
    ...[...expected].flatMap(([group, records]) => {
      const sinks = [...new Set(group.split("+").flatMap((source) => sinksFrom(of, source)))]
      return [
        ...brokenBatches(of, group, sinks, records, log),
        ...brokenLetters(group, records, log),
        ...sinks.flatMap((sink) => brokenSink(group, sink, records, world))
      ]
    }),
    ...brokenMade(made, world, log)
  ]
}

/**
 * A run comes to its end once, with all sources read to theirs; or it fails once, and then one of the sources
 * with too many dead letters was read up to and with the one that is too much, and none further.
 */
const brokenEnd = (
  of: Case,
  log: Log,
  expected: ReadonlyMap<string, ReadonlyArray<Expected>>
): ReadonlyArray<string> => {
  const all = [...expected.values()].flat()
  const ends = log.types.filter((type) => type === "Completed" || type === "Failed")
  const sources = Object.entries(of.records).map(([source, items]) => {
    const tripped = trippedBy(of, source)
    const read = all.filter((record) => record.source === source).length
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
  sinks: ReadonlyArray<string>,
  expected: ReadonlyArray<Expected>,
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
    const owed = count > 0 ? sinks : []
    const may = [...sinks, ...madeFor]
    const wrongNames = [
      ...owed.filter((sink) => !branches.has(sink)),
      ...[...branches.keys()].filter((sink) => !may.includes(sink))
    ]
    if (wrongNames.length > 0)
      wrong.push(`the branches of batch ${ordinal} of ${source} are wrong about ${wrongNames}`)
    for (const [sink, { sealed, winner }] of branches) {
      const counted = sealed.get(winner!)
      const those = expected.slice(from, end).map((record) => record.fates.get(sink) ?? passedBy)
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
const brokenLetters = (
  source: string,
  expected: ReadonlyArray<Expected>,
  log: Log
): ReadonlyArray<string> => {
  const found = batchesOf(log, source).flatMap(({ branches, letters }) =>
    [...branches].flatMap(([sink, { winner }]) =>
      (letters.get(winner!) ?? []).flatMap((letter) =>
        letter.branches.includes(sink) && letter.source === source
          ? [`${letter.offset}, ${originOf(letter)} for ${sink}`]
          : []
      )
    )
  )
  const meant = expected.flatMap(({ fates, id }, at) =>
    [...fates].flatMap(([sink, { outcome }]) => (outcome === "lettered" ? [`${at}, ${id} for ${sink}`] : []))
  )
  return difference("a dead letter", found, meant)
}

// biome-ignore lint/suspicious/noExplicitAny: an oracle reads the log as an auditor does, without our types
const originOf = ({ offset, origin, source }: any): string => {
  const from = origin ?? { source, offset }
  return `${from.source}:${from.offset}`
}

/** Order, and everything once: what a sink holds of a source is what was meant for it, record after record. */
const brokenSink = (
  source: string,
  sink: string,
  expected: ReadonlyArray<Expected>,
  world: World
): ReadonlyArray<string> => {
  const places = new Map(expected.map(({ id }, at) => [id, at]))
  const members = source.split("+")
  const held = world.hub.sink(sink).records.flatMap((record) => {
    const { id } = record as { id: string }
    return members.includes(id.split(":")[0]!) ? [{ at: places.get(id) ?? -1, text: textOf(record) }] : []
  })
  const order = held.flatMap(({ at }, index) => {
    const before = held[index - 1]?.at ?? -1
    return at >= before ? [] : [`${sink} holds record ${at} of ${source} behind record ${before}`]
  })
  const meant = expected.flatMap(({ fates, id }) =>
    (fates.get(sink)?.pieces ?? []).map((piece) => textOf(onWire(id, piece)))
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
