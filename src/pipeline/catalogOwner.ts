/**
 * The one owner of the catalog: names are given, changed and taken back one after the other.
 *
 * @module
 */
import { Clock, Effect, Schema, Semaphore, Stream } from "effect"
import { type CatalogEvent, catalogStream } from "../../events/CatalogEvent.ts"
import { decodeCatalogEvent, schemaVersion } from "../../events/upcast.ts"
import * as Catalog from "../../projections/Catalog.ts"
import { EventLog } from "../log/EventLog.ts"
import { type Asker, correlationOf, nameOf } from "./Asker.ts"
import { type AppendError, appendPatiently } from "./appendPatiently.ts"
import { nextId } from "./Identity.ts"

export type CatalogError = AppendError

/** Another pipeline has this name. */
export class DuplicateName extends Schema.TaggedError<DuplicateName>()("DuplicateName", {
  name: Schema.String
}) {
  override get message(): string {
    return `there is a pipeline ${JSON.stringify(this.name)} already`
  }
}

/** Claims the catalog and folds it. */
export const openCatalog = Effect.gen(function* () {
  const log = yield* EventLog
  const one = yield* Semaphore.make(1)
  const { epoch, version: claimed } = yield* log.claim(catalogStream)
  let version = claimed
  let catalog = Catalog.initial
  yield* Stream.runForEach(log.read(catalogStream), (row) =>
    Effect.map(Effect.fromResult(decodeCatalogEvent(row)), (event) => {
      catalog = Catalog.evolve(catalog, event)
    })
  )

  const append = Effect.fnUntraced(function* (event: CatalogEvent, by: Asker) {
    const head = yield* appendPatiently(log, catalogStream, { expectedVersion: version, epoch }, [
      {
        eventId: yield* nextId,
        type: event._tag,
        schemaVersion,
        payload: JSON.stringify(event),
        at: yield* Clock.currentTimeMillis,
        by: nameOf(by),
        causationId: null,
        correlationId: correlationOf(by) ?? null
      }
    ])
    version = head.version
    catalog = Catalog.evolve(catalog, event)
  }, Effect.uninterruptible)

  /** The id of the pipeline with this name, registered now if there is none. */
  const register = Effect.fnUntraced(function* (
    name: string,
    by: Asker
  ): Effect.fn.Return<string, CatalogError> {
    const known = Catalog.idOf(catalog, name)
    if (known !== undefined) return known
    const id = yield* nextId
    yield* append({ _tag: "PipelineRegistered", id, name }, by)
    return id
  }, one.withPermits(1))

  /** Gives a pipeline another name; nothing when it has it already. */
  const rename = Effect.fnUntraced(function* (
    id: string,
    name: string,
    by: Asker
  ): Effect.fn.Return<void, CatalogError | DuplicateName> {
    const known = Catalog.idOf(catalog, name)
    if (known === id) return
    if (known !== undefined) return yield* new DuplicateName({ name })
    yield* append({ _tag: "PipelineRenamed", id, name }, by)
  }, one.withPermits(1))

  /** Takes a pipeline out of the catalog. Its history stays in the log, under its id. */
  const remove = Effect.fnUntraced(function* (id: string, by: Asker): Effect.fn.Return<void, CatalogError> {
    yield* append({ _tag: "PipelineRemoved", id }, by)
  }, one.withPermits(1))

  return { catalog: Effect.sync(() => catalog), register, rename, remove }
})
