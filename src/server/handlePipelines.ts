/**
 * The group `pipelines`: which pipelines there are.
 *
 * @module
 */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { catalogStream } from "../../events/CatalogEvent.ts"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import * as Roster from "../../projections/Roster.ts"
import { Api } from "../api/Api.ts"
import { Caller } from "../api/Authorization.ts"
import { failed } from "../api/failures.ts"
import type { PipelineResource, SelectedPipeline, Selector } from "../api/PipelineResource.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { LiveRoster } from "../pipeline/LiveRoster.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { Changes } from "./Changes.ts"
import { answerAgain, create } from "./create.ts"
import { Definitions } from "./Definitions.ts"
import { definingOf, redefining } from "./defining.ts"
import { refuseStale, withEtag } from "./etag.ts"
import { findPipeline, lookUp, unknownPipeline } from "./findPipeline.ts"
import { Keys } from "./Keys.ts"
import { Premises } from "./Premises.ts"
import { refusing } from "./refusalOf.ts"
import { remove } from "./remove.ts"
import { replace } from "./replace.ts"
import { resourceOf, selectedOf } from "./resourceOf.ts"

export const layerPipelines = HttpApiBuilder.group(Api, "pipelines", (handlers) =>
  handlers.handleAll({
    listPipelines: ({ query }) => list(query.selector ?? "all"),
    getPipeline: ({ params, query }) => read(params.name, query.selector ?? "all"),

    createPipeline: Effect.fnUntraced(function* ({ headers, payload }) {
      const { by } = yield* Caller
      const around = yield* surroundings
      const known = yield* lookUp(payload.name)
      const asked = {
        stream: known === undefined ? catalogStream : pipelineStream(known.id),
        key: headers["idempotency-key"],
        by,
        operation: "createPipeline",
        request: payload
      }
      const act = (correlationId?: string) => create(definingOf(payload, around), { by, correlationId })
      const again = (found: Parameters<typeof answerAgain>[1]) =>
        Effect.flatMap(answerAgain(asked.stream, found), (first) =>
          first === undefined ? act() : Effect.succeed(first)
        )
      const once = (yield* Keys).once(asked, act, again)
      return yield* tagged(yield* (yield* Changes).whole(once))
    }),

    putPipeline: Effect.fnUntraced(function* ({ headers, params, payload, query }) {
      const { by } = yield* Caller
      const around = yield* surroundings
      const changes = yield* Changes
      const defining = definingOf(payload, around)
      const ifMatch = headers["if-match"]
      const known = yield* lookUp(params.name)
      if (known === undefined) {
        if (payload.name !== params.name) return yield* renamesNobody(params.name)
        const stale = refuseStale(ifMatch, undefined)
        if (stale !== undefined) return yield* Effect.fail(stale)
        const made = yield* changes.whole(create(defining, { by }))
        yield* withEtag(made.version)
        return HttpServerResponse.jsonUnsafe(made, { status: 201 })
      }
      const change = { name: params.name, ifMatch, abandon: query.abandon ?? false, defining: () => defining }
      return yield* tagged(yield* changes.whole(changes.alone(known.id, replace(known.id, change, { by }))))
    }),

    patchPipeline: Effect.fnUntraced(function* ({ headers, params, payload, query }) {
      const { by } = yield* Caller
      const around = yield* surroundings
      const changes = yield* Changes
      const { id } = yield* findPipeline(params.name)
      const change = {
        name: params.name,
        ifMatch: headers["if-match"],
        abandon: query.abandon ?? false,
        defining: (before: Parameters<typeof redefining>[2]) =>
          redefining(payload, payload.name ?? params.name, before, around)
      }
      return yield* tagged(yield* changes.whole(changes.alone(id, replace(id, change, { by }))))
    }),

    deletePipeline: Effect.fnUntraced(function* ({ headers, params }) {
      const { by } = yield* Caller
      const changes = yield* Changes
      const { id } = yield* findPipeline(params.name)
      yield* changes.whole(changes.alone(id, remove(id, params.name, headers["if-match"], by)))
    })
  })
)

const surroundings = Effect.gen(function* () {
  return { drivers: yield* Drivers, base: (yield* Premises).base }
})

const tagged = (resource: PipelineResource) => Effect.as(withEtag(resource.version), resource)

const list = Effect.fnUntraced(function* (selector: Selector) {
  const { state } = yield* refusing((yield* LiveRoster).now)
  const { version } = yield* Premises
  const all = Roster.list(state).filter((one) => one.version.value > 0 || one.unreadable !== null)
  all.sort((one, other) => (one.name < other.name ? -1 : 1))
  if (selector === "status") {
    const { progress } = yield* Pipelines
    return yield* Effect.forEach(all, (one) =>
      Effect.map(progress(one.id), (sources) => selectedOf(one, version, sources))
    )
  }
  return yield* Effect.forEach(all, (one) => whole(one, version), { concurrency: 16 })
})

/** A pipeline that cannot be read has no more to show than what is known of it. */
const whole = Effect.fnUntraced(function* (listed: Roster.Listed, version: string) {
  const found = listed.unreadable === null ? yield* (yield* Definitions).of(listed.id) : undefined
  const selected: SelectedPipeline =
    found === undefined ? selectedOf(listed, version) : resourceOf(found.listed, found.definition, version)
  return selected
})

const read = Effect.fnUntraced(function* (name: string, selector: Selector) {
  const listed = yield* findPipeline(name)
  const { version } = yield* Premises
  const sources = yield* (yield* Pipelines).progress(listed.id)
  yield* withEtag(listed.version.value)
  if (selector === "status" || listed.unreadable !== null) return selectedOf(listed, version, sources)
  const found = yield* (yield* Definitions).of(listed.id)
  if (found === undefined) return yield* unknownPipeline(name)
  yield* withEtag(found.listed.version.value)
  return resourceOf(found.listed, found.definition, version, sources)
})

const renamesNobody = (name: string) =>
  Effect.fail(
    failed("CannotRenameNonExistingPipeline", `There is no pipeline ${JSON.stringify(name)} to be renamed`, {
      path: "/name",
      suggestion: "create it under its name, with the same name in the path and in the body"
    })
  )
