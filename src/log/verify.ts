/**
 * Was the log tampered with? Walks the hash chain of every stream and names the first bad row.
 *
 * The chain is not keyed: who can rewrite every later row of a stream, its head, and all copies of
 * them can forge a history. To rule that out keep a head's hash somewhere else.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import { genesisHash, type StoredEvent } from "../../events/StoredEvent.ts"
import { hashOf } from "./Append.ts"
import { EventLog, type Head, type LogError } from "./EventLog.ts"

/** The first row that is wrong, or missing; `reason` is a sentence for people. */
export interface BadRow {
  readonly stream: string
  readonly version: number
  readonly reason: string
}

/** `streams` counts those that have events; `firstBad` is the first in global order. */
export interface Verification {
  readonly streams: number
  readonly events: number
  readonly firstBad: BadRow | null
}

export interface VerifyOptions {
  /** Only this stream; all, when absent. */
  readonly stream?: string | undefined
  /** Sees every row, good or bad, so that others can fold in the same pass. */
  readonly onEvent?: ((event: StoredEvent) => void) | undefined
}

/**
 * Recomputes the hash of every row over the text as stored, checks that the versions of a stream count
 * from 1 without gaps, and that the heads agree with the rows. Memory grows with the number of streams
 * only. May run beside a writer: rows that arrive during the walk are checked like the others.
 */
export const verify = Effect.fnUntraced(function* (
  options: VerifyOptions = {}
): Effect.fn.Return<Verification, LogError, EventLog> {
  const log = yield* EventLog
  const ofInterest = (heads: ReadonlyArray<Head>) =>
    options.stream === undefined ? heads : heads.filter((head) => head.stream === options.stream)

  const walk = makeWalk(ofInterest(yield* log.heads))
  const events = options.stream === undefined ? log.readAll() : log.read(options.stream)
  yield* Stream.runForEachArray(events, (page) =>
    Effect.sync(() => {
      for (const event of page) {
        walk.step(event)
        options.onEvent?.(event)
      }
    })
  )
  return walk.end(ofInterest(yield* log.heads))
})

interface Chain {
  version: number
  hash: string
}

/**
 * The walk as a fold. The heads are looked at twice: what stood in one before the walk must be found by
 * it, and what it found must stand in the one after; so a busy writer raises no false alarm.
 */
const makeWalk = (before: ReadonlyArray<Head>) => {
  const chains = new Map<string, Chain>()
  const known = new Map(before.map((head) => [head.stream, head]))
  let events = 0
  let firstBad: BadRow | null = null
  return {
    step: (event: StoredEvent): void => {
      const chain = chains.get(event.stream) ?? { version: 0, hash: genesisHash }
      chains.set(event.stream, chain)
      events += 1
      firstBad ??= wrongWith(event, chain, known.get(event.stream))
      chain.version = event.version
      chain.hash = event.hash
    },
    end: (after: ReadonlyArray<Head>): Verification => {
      firstBad ??= missingRow(before, chains) ?? strayRow(after, chains)
      return { streams: chains.size, events, firstBad }
    }
  }
}

const wrongWith = (event: StoredEvent, previous: Chain, head: Head | undefined): BadRow | null => {
  const { stream, version } = event
  const expected = previous.version + 1
  if (version > expected) {
    const reason = `Version ${expected} is missing: ${version} follows ${previous.version}. A row was deleted or moved.`
    return { stream, version: expected, reason }
  }
  if (version < expected) {
    return {
      stream,
      version,
      reason: `Version ${version} stands behind version ${previous.version}. Rows were swapped.`
    }
  }
  if (hashOf(previous.hash, event) !== event.hash) {
    return {
      stream,
      version,
      reason: "The row does not match its hash: it was changed after it was written."
    }
  }
  if (head?.version === version && head.hash !== event.hash) {
    return {
      stream,
      version,
      reason: "The stream's head has another hash: the row was written anew, or the head changed."
    }
  }
  return null
}

const missingRow = (heads: ReadonlyArray<Head>, chains: ReadonlyMap<string, Chain>): BadRow | null => {
  for (const head of heads) {
    const found = chains.get(head.stream)?.version ?? 0
    if (found < head.version) {
      const reason = `The stream ends at version ${found}, its head says ${head.version}. Rows were cut off its end.`
      return { stream: head.stream, version: found + 1, reason }
    }
  }
  return null
}

const strayRow = (heads: ReadonlyArray<Head>, chains: ReadonlyMap<string, Chain>): BadRow | null => {
  const versions = new Map(heads.map((head) => [head.stream, head.version]))
  for (const [stream, { version }] of chains) {
    const last = versions.get(stream) ?? 0
    if (version > last) {
      const reason = `The stream goes on to version ${version}, its head says ${last}. Rows were put in.`
      return { stream, version: last + 1, reason }
    }
  }
  return null
}
