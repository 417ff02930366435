/**
 * The pipeline somebody means by a name.
 *
 * @module
 */
import { Effect } from "effect"
import { nearest } from "../../events/nearest.ts"
import * as Catalog from "../../projections/Catalog.ts"
import * as Roster from "../../projections/Roster.ts"
import { type Failure, failed } from "../api/failures.ts"
import { LiveRoster } from "../pipeline/LiveRoster.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { refusing } from "./refusalOf.ts"

/**
 * `undefined` when there is none. A name that was registered by a process that died before it could define
 * the pipeline is not one yet: creating it goes on from there.
 */
export const lookUp = Effect.fnUntraced(function* (
  name: string
): Effect.fn.Return<Roster.Listed | undefined, Failure<"LogUnavailable">, Pipelines | LiveRoster> {
  const id = Catalog.idOf(yield* (yield* Pipelines).catalog, name)
  if (id === undefined) return undefined
  const { state } = yield* refusing((yield* LiveRoster).now)
  const listed = Roster.find(state, id)
  return listed === undefined || (listed.version.value === 0 && listed.unreadable === null)
    ? undefined
    : listed
})

/** Fails with the name that was most likely meant. */
export const findPipeline = Effect.fnUntraced(function* (
  name: string
): Effect.fn.Return<
  Roster.Listed,
  Failure<"LogUnavailable"> | Failure<"UnknownPipelineName">,
  Pipelines | LiveRoster
> {
  const found = yield* lookUp(name)
  return found ?? (yield* unknownPipeline(name))
})

export const unknownPipeline = Effect.fnUntraced(function* (
  name: string
): Effect.fn.Return<never, Failure<"UnknownPipelineName">, Pipelines> {
  const { catalog } = yield* Pipelines
  const names = Catalog.list(yield* catalog).map((one) => one.name)
  const meant = nearest(name, names)
  const shown = name.slice(0, 100)
  return yield* Effect.fail(
    failed("UnknownPipelineName", `There is no pipeline ${JSON.stringify(shown)}`, {
      name: shown,
      suggestion: meant === undefined ? "GET /v0/pipelines lists those there are" : `did you mean ${meant}?`
    })
  )
})
