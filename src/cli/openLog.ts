/**
 * The log as verbs that only read see it: no lock, no writing, and a clear word when there is none.
 *
 * @module
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Effect, Stream } from "effect"
import { catalogStream } from "../../events/CatalogEvent.ts"
import { nearest } from "../../events/nearest.ts"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import { decodeCatalogEvent } from "../../events/upcast.ts"
import * as Catalog from "../../projections/Catalog.ts"
import { EventLog } from "../log/EventLog.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { layerReader, logPlace } from "./logPlace.ts"

/** Is there a log in this folder? */
export const hasLog = (directory: string): boolean => existsSync(join(directory, "millrace.db"))

/** Fails with `no_log` when there is none in the data directory. */
export const requireLog = Effect.gen(function* () {
  const place = yield* logPlace
  if (place._tag === "Database" || hasLog(place.directory)) return
  return yield* new CliFailure({
    exit: exitCode.environment,
    code: "no_log",
    message: `there is no log in ${place.name}`,
    suggestion: "run a pipeline first, or name its folder with --data-dir"
  })
})

/** Runs something on the log of the data directory; fails with `no_log` when there is none. */
export const onLog = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    yield* requireLog
    return yield* Effect.provide(use, layerReader(yield* logPlace))
  })

/** Which pipelines the log knows. */
export const readCatalog = Effect.gen(function* () {
  const log = yield* EventLog
  let catalog = Catalog.initial
  yield* Stream.runForEach(log.read(catalogStream), (row) =>
    Effect.map(Effect.fromResult(decodeCatalogEvent(row)), (event) => {
      catalog = Catalog.evolve(catalog, event)
    })
  )
  return catalog
})

/** The pipeline of this name, or `unknown_pipeline` with the name that was most likely meant. */
export const findPipeline = Effect.fnUntraced(function* (name: string) {
  const catalog = yield* readCatalog
  const id = Catalog.idOf(catalog, name)
  if (id !== undefined) return { id, name, stream: pipelineStream(id) }
  const meant = nearest(
    name,
    Catalog.list(catalog).map((one) => one.name)
  )
  return yield* new CliFailure({
    exit: exitCode.badInput,
    code: "unknown_pipeline",
    message: `there is no pipeline ${JSON.stringify(name)} in ${(yield* logPlace).name}`,
    suggestion: meant === undefined ? "`millrace list` shows those there are" : `did you mean ${meant}?`
  })
})
