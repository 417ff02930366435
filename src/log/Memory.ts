/**
 * The log in memory: for tests and simulations. Nothing survives the process, but a `MemoryStore`
 * survives its layers, so a test can restart everything else on the same log, and a `Fault` can strike
 * before and after every crossing of its border.
 *
 * @module
 */
import { Effect, Layer, Option, PubSub, Stream } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { makeAppend } from "./Append.ts"
import { EventLog, type LogError, type NewEvent, type VersionConflict } from "./EventLog.ts"
import {
  appendTo,
  claimIn,
  eventsOf,
  headsOf,
  loadSnapshotFrom,
  type MemoryStore,
  makeMemoryStore,
  saveSnapshotIn
} from "./MemoryStore.ts"
import { metered } from "./metered.ts"

export { type MemoryStore, makeMemoryStore } from "./MemoryStore.ts"

/** One step over the border of the log. `events` are those of an append, `stream` is null when it is about all. */
export interface Crossing {
  readonly operation: "claim" | "append" | "read" | "readAll" | "heads" | "saveSnapshot" | "loadSnapshot"
  readonly moment: "before" | "after"
  readonly stream: string | null
  readonly events: ReadonlyArray<NewEvent>
}

/**
 * Runs at both moments of every operation (of a read only `before` it starts). Failing `before` has no
 * effect; failing `after` an append makes it ambiguous: it is committed and the caller does not know.
 * Sleeping is a slow store. A fault may be interrupted or never return, which places a crash at either
 * moment. Only an append may fail with a `VersionConflict`; elsewhere that is a defect.
 */
export type Fault = (crossing: Crossing) => Effect.Effect<void, LogError | VersionConflict>

/** A log on a store that other layers may share or take over; `changes` are those made through this layer. */
export const layerMemoryOn = (
  store: MemoryStore,
  options: { readonly fault?: Fault | undefined } = {}
): Layer.Layer<EventLog> => Layer.effect(EventLog, make(store, options.fault ?? (() => Effect.void)))

/** A log of its own for every time the layer is built, with faults. */
export const layerMemoryWith = (options: { readonly fault?: Fault | undefined }): Layer.Layer<EventLog> =>
  Layer.unwrap(Effect.sync(() => layerMemoryOn(makeMemoryStore(), options)))

/** A log of its own for every time the layer is built. */
export const layerMemory: Layer.Layer<EventLog> = layerMemoryWith({})

/** Events a page; small arrays, so that what reads a log in tests meets the borders of pages. */
const pageEvents = 1000

const make = Effect.fnUntraced(function* (store: MemoryStore, fault: Fault) {
  const pubsub = yield* Effect.acquireRelease(PubSub.sliding<number>(1), PubSub.shutdown)

  const cross = <A, E>(step: Omit<Crossing, "moment">, run: Effect.Effect<A, E>) =>
    fault({ ...step, moment: "before" }).pipe(
      Effect.andThen(run),
      Effect.tap(() => fault({ ...step, moment: "after" }))
    )
  const simple = <A>(operation: Crossing["operation"], stream: string | null, run: () => A) =>
    withoutConflict(cross({ operation, stream, events: [] }, Effect.sync(run)))
  const reading = (
    operation: Crossing["operation"],
    stream: string | null,
    events: () => Stream.Stream<StoredEvent>
  ) =>
    fault({ operation, stream, events: [], moment: "before" }).pipe(
      withoutConflict,
      Effect.map(events),
      Stream.unwrap
    )

  return metered(
    EventLog.of({
      isWritable: true,
      claim: (stream) => simple("claim", stream, () => claimIn(store, stream)),
      append: (stream, at, events) =>
        Effect.suspend(() => appendTo(store, makeAppend(stream, at, events))).pipe(
          Effect.tap(() => PubSub.publish(pubsub, store.events.length)),
          (run) => cross({ operation: "append", stream, events }, run)
        ),
      read: (stream, { after = 0, limit = Number.POSITIVE_INFINITY } = {}) =>
        reading("read", stream, () => {
          const events = eventsOf(store, stream)
          return pages(events, after, Math.min(events.length, after + limit))
        }),
      readAll: ({ after = 0, types } = {}) =>
        reading("readAll", null, () => {
          const all = pages(store.events, after, store.events.length)
          return types === undefined ? all : Stream.filter(all, (event) => types.includes(event.type))
        }),
      changes: Stream.fromPubSub(pubsub),
      heads: simple("heads", null, () => headsOf(store)),
      saveSnapshot: (snapshot) =>
        simple("saveSnapshot", snapshot.stream, () => saveSnapshotIn(store, snapshot)),
      loadSnapshot: (stream, fold, foldVersion) =>
        simple("loadSnapshot", stream, () => loadSnapshotFrom(store, stream, fold, foldVersion))
    })
  )
})

const withoutConflict = <A>(effect: Effect.Effect<A, LogError | VersionConflict>) =>
  Effect.catchTag(effect, "VersionConflict", (conflict) => Effect.die(conflict))

const pages = (events: ReadonlyArray<StoredEvent>, after: number, end: number) =>
  Stream.paginate(after, (from) =>
    Effect.sync(() => {
      const to = Math.min(from + pageEvents, end)
      return [events.slice(from, to), to < end ? Option.some(to) : Option.none<number>()] as const
    })
  )
