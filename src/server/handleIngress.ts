/**
 * The group `ingress`: records that are pushed, and whether they are through.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { nearest } from "../../events/nearest.ts"
import * as Catalog from "../../projections/Catalog.ts"
import { own } from "../../projections/own.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { Api } from "../api/Api.ts"
import { Caller } from "../api/Authorization.ts"
import { type Failure, failed } from "../api/failures.ts"
import { Ingress } from "../drivers/http/Ingress.ts"
import type { IngressError, IngressReason } from "../drivers/http/IngressError.ts"
import { settledPosition } from "../flow/merge/MergedPosition.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { sourcesOf } from "../pipeline/situation.ts"

export const layerIngress = HttpApiBuilder.group(Api, "ingress", (handlers) =>
  handlers.handleAll({
    pushRecords: ({ headers, params, payload, query }) =>
      Effect.gen(function* () {
        const { by } = yield* Caller
        const { id, state } = yield* find(params.name)
        const refused = refuseStatus(state, query.force === true)
        if (refused !== undefined) return yield* Effect.fail(refused)
        const key = headers["idempotency-key"]
        const pushed = (yield* Ingress).push({
          pipeline: id,
          stage: params.stage,
          source: yield* sourceOf(state, params.stage),
          // A body that breaks off, or is too large, is told by the rim.
          body: Stream.orDie(payload),
          ...(query.format === undefined ? {} : { format: query.format }),
          ...(query.array === undefined ? {} : { array: query.array }),
          ...(query.update_format === undefined ? {} : { updateFormat: query.update_format }),
          // Two senders may have the same key in mind.
          ...(key === undefined ? {} : { key: `${by}\n${key}` })
        })
        return yield* Effect.mapError(pushed, told)
      }),
    getCompletionStatus: ({ params, query }) =>
      Effect.gen(function* () {
        const { id, state } = yield* find(params.name)
        const through = (yield* Ingress).isThrough({
          pipeline: id,
          token: query.token,
          checkpoint: (stage) => settledPosition(state.run?.sources ?? {}, stage)
        })
        const status = yield* Effect.mapError(through, toldOfToken)
        return { status: status ? ("complete" as const) : ("inprogress" as const) }
      })
  })
)

/** The pipeline as its log has it now. */
const find = Effect.fnUntraced(function* (name: string) {
  const pipelines = yield* Pipelines
  const catalog = yield* pipelines.catalog
  const id = Catalog.idOf(catalog, name)
  if (id === undefined) {
    const names = Catalog.list(catalog).map((listed) => listed.name)
    const meant = nearest(name, names)
    return yield* Effect.fail(
      failed("UnknownPipelineName", `There is no pipeline ${JSON.stringify(name.slice(0, 100))}`, {
        suggestion: meant === undefined ? "GET /v0/pipelines lists those there are" : `did you mean ${meant}?`
      })
    )
  }
  const { actor } = yield* pipelines.get(id).pipe(
    Effect.catchTag("LogError", () => Effect.fail(logUnavailable)),
    Effect.catchTag("UndecodableEvent", Effect.die)
  )
  return { id, state: yield* actor.state }
}, Effect.scoped)

const logUnavailable = failed("LogUnavailable", "The log does not answer", {
  suggestion: "try again when the log answers"
})

/** Records are taken while somebody is meant to work on them; a pause is meant to keep things still. */
const refuseStatus = ({ deployment, deploymentError }: PipelineState, force: boolean) => {
  switch (deployment) {
    case "Running":
      return undefined
    case "Paused":
      return force
        ? undefined
        : failed("PipelineInteractionNotDeployed", "The pipeline is paused", {
            suggestion: "start it, or push with force=true: the records then wait for it"
          })
    case "Unavailable":
      return failed("PipelineInteractionUnreachable", "The pipeline is unavailable", {
        ...(deploymentError === null ? {} : { error: deploymentError.message }),
        suggestion: "wait until it is running again"
      })
    default:
      return failed("PipelineInteractionNotDeployed", `The pipeline is ${deployment}`, {
        suggestion: "start it, and wait until deployment_status is Running"
      })
  }
}

const sourceOf = (state: PipelineState, stage: string) => {
  const sources = sourcesOf(state)
  const source = own(sources, stage)
  if (source !== undefined) return Effect.succeed(source)
  const pushable = Object.keys(sources).filter((name) => sources[name]?.use === "http")
  const meant = nearest(stage, pushable) ?? pushable[0]
  return Effect.fail(
    failed("UnknownStage", `The pipeline has no source ${JSON.stringify(stage.slice(0, 100))}`, {
      suggestion:
        meant === undefined ? "none of its sources takes records: use: http" : `did you mean ${meant}?`
    })
  )
}

type Refusal = Failure<
  "InvalidIngress" | "IdempotencyKeyReused" | "IngressFull" | "PipelineInteractionUnreachable"
>

/** Why records were not taken, in the words of the contract. */
const told = ({ reason }: IngressError): Refusal => {
  const details = adviceOf(reason)
  switch (reason._tag) {
    case "Malformed":
      return failed("InvalidIngress", reason.message, { ...details, reason: reason.code, line: reason.line })
    case "Unsuited":
      return failed("InvalidIngress", reason.message, details)
    case "TooLarge":
      return failed("InvalidIngress", reason.message, { ...details, bytes_most: reason.bytesMost })
    case "KeyReused":
      return failed("IdempotencyKeyReused", reason.message, details)
    case "Full":
      return failed("IngressFull", reason.message, details)
    case "UnknownToken":
    case "Unavailable":
      return failed("PipelineInteractionUnreachable", reason.message, details)
  }
}

const toldOfToken = ({
  reason
}: IngressError): Failure<"UnknownCompletionToken" | "PipelineInteractionUnreachable"> =>
  reason._tag === "UnknownToken"
    ? failed("UnknownCompletionToken", reason.message, adviceOf(reason))
    : failed("PipelineInteractionUnreachable", reason.message, adviceOf(reason))

const adviceOf = ({ suggestion }: IngressReason) => (suggestion === undefined ? {} : { suggestion })
