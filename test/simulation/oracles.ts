/**
 * What must be true of any world, told from its sinks, its acknowledgements and the rows of its log
 * alone, by code that shares nothing with the engine.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import type { MemoryCall } from "../../src/drivers/memory/MemoryHub.ts"
import { rowsOf, type World } from "./World.ts"

// biome-ignore lint/suspicious/noExplicitAny: an oracle reads the log as an auditor does, without our types
type Row = any

interface Branch {
  winner?: number
  readonly sealed: Map<number, Row>
}
interface Batch {
  readonly source: string
  readonly end: number
  readonly to: Row
  readonly count: number
  readonly branches: Map<string, Branch>
  /** By attempt, as `totals`. */
  readonly letters: Map<number, ReadonlyArray<Row>>
  readonly totals: Map<number, Row>
}

/** What the log says, read with a ruler. */
export const readLog = (world: World) => {
  const batches = new Map<number, Batch>()
  const redrives = readRedrives(world)
  const types: Array<string> = []
  for (const row of rowsOf(world)) {
    const event: Row = JSON.parse(row.payload)
    types.push(row.type)
    if (event._tag === "BatchSealed") {
      const batch = batches.get(event.batch) ?? {
        source: event.source,
        end: event.offset + event.count,
        to: event.range.to,
        count: event.count,
        branches: new Map(),
        letters: new Map(),
        totals: new Map()
      }
      batches.set(event.batch, batch)
      batch.letters.set(event.attempt, event.letters)
      batch.totals.set(event.attempt, event.totals)
      for (const [stage, sealed] of Object.entries<Row>(event.branches)) {
        const branch = batch.branches.get(stage) ?? { sealed: new Map() }
        batch.branches.set(stage, branch)
        branch.sealed.set(event.attempt, sealed)
        if (event.attempt === 1 && sealed.records === 0) branch.winner = 1
      }
    } else if (event._tag === "StageApplied" || event._tag === "DuplicateSuppressed") {
      const branch = batches.get(event.batch)?.branches.get(event.stage)
      if (branch === undefined) throw new Error(`${event._tag} of a branch that was never sealed`)
      if (branch.winner !== undefined) throw new Error(`${event.stage} of batch ${event.batch} settled twice`)
      if (!branch.sealed.has(event.attempt)) throw new Error("an attempt won that was never sealed")
      branch.winner = event.attempt
    }
  }
  return { batches, redrives, types }
}

/** By letter and ordinal, the branches of each redrive that was not taken back. */
const readRedrives = (world: World): ReadonlyMap<string, ReadonlyMap<string, Branch>> => {
  const redrives = new Map<string, Map<string, Branch>>()
  const open = new Map<string, string>()
  for (const row of rowsOf(world)) {
    const event: Row = JSON.parse(row.payload)
    if (event._tag === "RedriveRequested") {
      for (const { branches, letter, n } of event.letters) {
        if (isOpen(redrives.get(open.get(letter) ?? ""))) throw new Error(`${letter} has two open redrives`)
        open.set(letter, `${letter}/${n}`)
        if (redrives.has(`${letter}/${n}`)) throw new Error(`redrive ${n} of ${letter} was asked for twice`)
        redrives.set(
          `${letter}/${n}`,
          new Map(branches.map((stage: string) => [stage, { sealed: new Map() }]))
        )
      }
    } else if (event._tag === "RedriveSealed") {
      for (const [stage, sealed] of Object.entries<Row>(event.branches)) {
        const branch = redrives.get(`${event.letter}/${event.n}`)!.get(stage)!
        if (branch.winner !== undefined) throw new Error(`${event.letter} is sealed after it was settled`)
        branch.sealed.set(event.attempt, sealed)
        if (event.attempt === 1 && sealed.records === 0) branch.winner = 1
      }
    } else if (event._tag === "RedriveApplied") {
      const branch = redrives.get(`${event.letter}/${event.n}`)!.get(event.stage)!
      if (branch.winner !== undefined) throw new Error(`${event.key} was settled twice`)
      if (!branch.sealed.has(event.attempt)) throw new Error("a redrive won that was never sealed")
      branch.winner = event.attempt
    } else if (event._tag === "RunSetBack") {
      for (const { branches, letter, n } of event.redrives ?? []) {
        for (const [stage, { winner }] of Object.entries<Row>(branches)) {
          if (winner === null) delete redrives.get(`${letter}/${n}`)!.get(stage)!.winner
        }
      }
    } else if (event._tag === "RedrivesWithdrawn" || event._tag === "DeadLettersDiscarded") {
      for (const each of event.letters) {
        const name = open.get(each.letter ?? each)
        if (name !== undefined && isOpen(redrives.get(name))) redrives.delete(name)
      }
    }
  }
  return redrives
}

const isOpen = (branches: ReadonlyMap<string, Branch> | undefined): boolean =>
  [...(branches?.values() ?? [])].some(({ winner }) => winner === undefined)

/** By letter, the branches on which it has left: redriven to the end, or discarded. */
const leftBranches = (world: World): ReadonlyMap<string, ReadonlySet<string>> => {
  const left = new Map<string, Set<string>>()
  const add = (letter: string, stage: string): void => {
    left.set(letter, (left.get(letter) ?? new Set()).add(stage))
  }
  for (const [name, branches] of readRedrives(world)) {
    for (const [stage, { sealed, winner }] of branches) {
      if (winner !== undefined && sealed.get(winner).lettered === 0) add(name.split("/")[0]!, stage)
    }
  }
  for (const row of rowsOf(world)) {
    const event: Row = JSON.parse(row.payload)
    if (event._tag !== "DeadLettersDiscarded") continue
    for (const { branches, letter } of event.letters) for (const stage of branches) add(letter, stage)
  }
  return left
}

/**
 * How far a source is settled: the end of its contiguous prefix of batches with a winner on every branch. Where
 * several are read as one, of `part` the records among them.
 */
const settledPrefix = (world: World, source: string, part = source): number => {
  let prefix = 0
  for (const batch of readLog(world).batches.values()) {
    if (batch.source !== source) continue
    if ([...batch.branches.values()].some(({ winner }) => winner === undefined)) break
    prefix = source.includes("+") ? (batch.to.sources[part]?.offset ?? batch.end) : batch.end
  }
  return prefix
}

/** Invariant 1: watches every acknowledgement, at the moment it is made. */
export const watchAcks =
  (world: World) =>
  (call: MemoryCall): Effect.Effect<void> => {
    if (call.operation !== "source.ack" || call.phase !== "after") return Effect.void
    const position = Number(world.hub.sources.get(call.name)!.acks.at(-1))
    return Effect.map(world.log.look, () => {
      const prefix = Math.max(0, ...stagesOf(world).map((stage) => settledPrefix(world, stage, call.name)))
      if (position > prefix)
        throw new Error(`early acknowledgement: ${position} of ${call.name}, settled ${prefix}`)
    })
  }

const stagesOf = (world: World): ReadonlyArray<string> => [
  ...new Set([...readLog(world).batches.values()].map(({ source }) => source))
]

interface CountedLetter {
  readonly id: string
  readonly offset: number
  readonly branches: Array<string>
}

/** The letters that count: those of the winning attempt of each branch, merged by id. */
export const lettersOf = (world: World): ReadonlyArray<CountedLetter> => {
  const letters = new Map<string, CountedLetter>()
  const left = leftBranches(world)
  for (const batch of readLog(world).batches.values()) {
    for (const [stage, { winner }] of batch.branches) {
      for (const letter of winner === undefined ? [] : (batch.letters.get(winner) ?? [])) {
        if (!letter.branches.includes(stage) || left.get(letter.id)?.has(stage) === true) continue
        const known: CountedLetter = letters.get(letter.id) ?? {
          id: letter.id,
          offset: letter.offset,
          branches: []
        }
        known.branches.push(stage)
        letters.set(letter.id, known)
      }
    }
  }
  return [...letters.values()].sort((a, b) => a.offset - b.offset)
}

/** Everything that must hold of a world at rest; each broken promise as a sentence. */
export const broken = (world: World): ReadonlyArray<string> => [
  ...brokenChain(world),
  ...brokenSums(world),
  ...brokenRedrives(world),
  ...brokenSinks(world),
  ...brokenCheckpoints(world)
]

const brokenChain = (world: World): ReadonlyArray<string> => {
  let hash = "0".repeat(64)
  let epoch = 0
  return rowsOf(world).flatMap((row, index): ReadonlyArray<string> => {
    const { at, by, causationId, correlationId, eventId, payload, schemaVersion, stream, type, version } = row
    const body = [
      stream,
      version,
      type,
      schemaVersion,
      at,
      eventId,
      causationId,
      correlationId,
      by,
      row.epoch,
      payload
    ]
    hash = createHash("sha256")
      .update(`${hash}\n${JSON.stringify(body)}`)
      .digest("hex")
    const wrong = [
      ...(row.hash === hash ? [] : [`event ${version} breaks the chain`]),
      ...(version === index + 1 ? [] : [`event ${version} stands at ${index + 1}`]),
      ...(row.epoch >= epoch ? [] : [`epoch fell at event ${version}`])
    ]
    epoch = row.epoch
    return wrong
  })
}

/** Invariant 6: at rest every branch of every batch is settled, and its outcomes add up. */
const brokenSums = (world: World): ReadonlyArray<string> =>
  [...readLog(world).batches].flatMap(([ordinal, batch]) =>
    [...batch.branches].flatMap(([stage, { sealed, winner }]) => {
      if (winner === undefined) return [`batch ${ordinal} is owed to ${stage}`]
      const { aggregated = 0, delivered, filtered, lettered, unrouted } = sealed.get(winner)
      return delivered + filtered + lettered + unrouted + aggregated === batch.count
        ? []
        : [`the outcomes of ${stage} in batch ${ordinal} do not add up`]
    })
  )

/** At rest every redrive has its outcome on each of its branches. */
const brokenRedrives = (world: World): ReadonlyArray<string> =>
  [...readLog(world).redrives].flatMap(([name, branches]) =>
    [...branches].flatMap(([stage, { sealed, winner }]) => {
      if (winner === undefined) return [`redrive ${name} is owed to ${stage}`]
      const { delivered, filtered, lettered, unrouted } = sealed.get(winner)
      return delivered + filtered + lettered + unrouted === 1
        ? []
        : [`the outcomes of ${stage} in redrive ${name} do not add up`]
    })
  )

/** Invariant 3: what a sink holds under a key is what the log says won, record for record. */
const brokenSinks = (world: World): ReadonlyArray<string> => {
  const { batches, redrives } = readLog(world)
  const branchOf = (key: string, batch: number): Branch | undefined => {
    const [, of, third, last] = key.split("/")
    return of!.includes(".")
      ? redrives.get(`${of}/${last}`)?.get(third!)
      : batches.get(batch)?.branches.get(last!)
  }
  return [...world.hub.sinks].flatMap(([, sink]): ReadonlyArray<string> => {
    const keys = sink.writes.map(({ key }) => key)
    const doubled = new Set(keys).size === keys.length ? [] : [`${sink.name} took a key twice`]
    return [
      ...doubled,
      ...sink.writes.flatMap((write) => {
        const branch = branchOf(write.key, write.batch)
        if (branch?.winner !== write.attempt) return [`${write.key}: the log names another winner`]
        return branch.sealed.get(write.attempt).records === write.records.length
          ? []
          : [`${write.key}: the seal counts other records than the sink holds`]
      })
    ]
  })
}

/** Invariant 2: the checkpoints in the log never move backwards. */
const brokenCheckpoints = (world: World): ReadonlyArray<string> => {
  const last = new Map<string, number>()
  return rowsOf(world).flatMap((row): ReadonlyArray<string> => {
    const event: Row = JSON.parse(row.payload)
    const checkpoint = event._tag === "StageApplied" ? event.checkpoint : null
    if (checkpoint === null) return []
    const before = last.get(checkpoint.source) ?? 0
    last.set(checkpoint.source, checkpoint.offset)
    return checkpoint.offset >= before
      ? []
      : [`the checkpoint of ${checkpoint.source} fell to ${checkpoint.offset}`]
  })
}
