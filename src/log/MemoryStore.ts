/**
 * The content of a log in memory, and what can be done to it: plain data and synchronous functions.
 *
 * @module
 */
import { Exit, Option, Result } from "effect"
import { genesisHash, type StoredEvent } from "../../events/StoredEvent.ts"
import { type Append, type Appended, admit, duplicateId, link, storable } from "./Append.ts"
import type { Head, Snapshot } from "./EventLog.ts"

/** Open to tests and oracles: what `events` holds is what was committed. */
export interface MemoryStore {
  /** In global order; the event at index `i` has position `i + 1`. */
  readonly events: Array<StoredEvent>
  readonly streams: Map<string, MemoryStream>
  readonly eventIds: Set<string>
  readonly snapshots: Map<string, Snapshot>
}

interface MemoryStream {
  readonly head: Head
  readonly events: Array<StoredEvent>
}

export const makeMemoryStore = (): MemoryStore => ({
  events: [],
  streams: new Map(),
  eventIds: new Set(),
  snapshots: new Map()
})

export const claimIn = (store: MemoryStore, stream: string): Head => {
  const { events, head } = streamOf(store, stream)
  const claimed = { ...head, epoch: head.epoch + 1 }
  store.streams.set(head.stream, { events, head: claimed })
  return claimed
}

export const appendTo = (store: MemoryStore, append: Append): Appended => {
  const { events, head } = streamOf(store, append.stream)
  const admitted = admit(append, head, (after, limit) => events.slice(after, after + limit))
  if (Result.isFailure(admitted)) return Exit.fail(admitted.failure)
  if (admitted.success !== "write") return Exit.succeed(admitted.success)
  const ids = new Set(append.events.map((event) => event.eventId))
  if (ids.size < append.events.length || append.events.some((event) => store.eventIds.has(event.eventId))) {
    return Exit.fail(duplicateId(append))
  }
  for (const row of link(head, append.events)) {
    const event = { position: store.events.length + 1, ...row }
    store.events.push(event)
    store.eventIds.add(event.eventId)
    events.push(event)
  }
  const next = { ...head, version: events.length, hash: events.at(-1)?.hash ?? head.hash }
  store.streams.set(head.stream, { events, head: next })
  return Exit.succeed(next)
}

export const eventsOf = (store: MemoryStore, stream: string): ReadonlyArray<StoredEvent> =>
  streamOf(store, stream).events

export const headsOf = (store: MemoryStore): ReadonlyArray<Head> =>
  Array.from(store.streams.values(), ({ head }) => head).sort((a, b) => (a.stream < b.stream ? -1 : 1))

/** An older snapshot of the same fold version never replaces a newer one. */
export const saveSnapshotIn = (store: MemoryStore, snapshot: Snapshot): void => {
  const key = snapshotKey(snapshot.stream, snapshot.fold)
  const old = store.snapshots.get(key)
  if (old?.foldVersion === snapshot.foldVersion && old.version > snapshot.version) return
  store.snapshots.set(key, snapshot)
}

export const loadSnapshotFrom = (
  store: MemoryStore,
  stream: string,
  fold: string,
  foldVersion: number
): Option.Option<Snapshot> =>
  Option.filter(
    Option.fromUndefinedOr(store.snapshots.get(snapshotKey(stream, fold))),
    (snapshot) => snapshot.foldVersion === foldVersion
  )

const snapshotKey = (stream: string, fold: string): string => JSON.stringify([stream, fold])

const streamOf = (store: MemoryStore, name: string): MemoryStream => {
  const stream = storable(name)
  return (
    store.streams.get(stream) ?? { events: [], head: { stream, version: 0, epoch: 0, hash: genesisHash } }
  )
}
