/**
 * Everything the service says no with: `{ message, error_code, details }`, and the status of every code.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"

/**
 * The codes by status. No code stands under two statuses: whoever encodes an error takes the first body
 * that fits, and the status with it.
 */
export const codes = {
  400: [
    "BadRequest",
    "InvalidJson",
    "EmptyName",
    "TooLongName",
    "NameDoesNotMatchPattern",
    "CannotUpdateNonShutdownPipeline",
    "CannotDeleteNonShutdownPipeline",
    "CannotRenameNonExistingPipeline",
    "InvalidPipelineAction",
    "InvalidRuntimeConfig",
    "InvalidProgramConfig",
    "StartFailedDueToFailedCompilation",
    "IllegalPipelineStateTransition",
    "PipelineInteractionNotDeployed",
    "InvalidReplay",
    "InvalidRedrive",
    "InvalidIngress"
  ],
  401: ["InvalidApiKey"],
  403: ["InsufficientScope", "ForbiddenHost", "ForbiddenOrigin"],
  404: [
    "UnknownPath",
    "UnknownPipelineName",
    "UnknownStage",
    "UnknownVersion",
    "UnknownDeadLetter",
    "UnknownRedrive",
    "UnknownCompletionToken"
  ],
  405: ["MethodNotAllowed"],
  408: ["RequestTimeout"],
  409: ["DuplicateName", "OutdatedPipelineVersion", "RunInProgress", "UnfinishedRun", "NothingToReplay"],
  412: ["VersionMismatch"],
  413: ["PayloadTooLarge"],
  415: ["UnsupportedMediaType"],
  422: ["IdempotencyKeyReused"],
  429: ["RateLimitExceeded", "TooManyReaders"],
  431: ["HeadersTooLarge"],
  500: ["InternalError"],
  503: [
    "PipelineInteractionUnreachable",
    "IngressFull",
    "LogUnavailable",
    "TooManyConnections",
    "DeadlineExceeded",
    "NotReady",
    "ShuttingDown"
  ]
} as const

export type Status = keyof typeof codes
export type ErrorCode = (typeof codes)[Status][number]

/**
 * What a program may want to know besides the code. `path` is a JSON pointer into what was sent,
 * `suggestion` what to do about it; both are absent where there is none.
 */
export const Details = Schema.Record(Schema.String, Schema.Json).annotate({
  description: "`path`: a JSON pointer into what was sent; `suggestion`: what to do; more by `error_code`"
})
export type Details = typeof Details.Type

const failure = <const S extends Status>(status: S) =>
  Schema.Struct({
    message: Schema.String,
    error_code: Schema.Literals(codes[status]),
    details: Details
  })
    .annotate({ identifier: `Failure${status}` })
    .pipe(HttpApiSchema.status(status))

/** The body of each status. */
export const Failure400 = failure(400)
export const Failure401 = failure(401)
export const Failure403 = failure(403)
export const Failure404 = failure(404)
export const Failure408 = failure(408)
export const Failure409 = failure(409)
export const Failure412 = failure(412)
export const Failure413 = failure(413)
export const Failure415 = failure(415)
export const Failure422 = failure(422)
export const Failure429 = failure(429)
export const Failure500 = failure(500)
export const Failure503 = failure(503)

/** Any of the bodies, as a value. */
export interface Failure<Code extends ErrorCode = ErrorCode> {
  readonly message: string
  readonly error_code: Code
  readonly details: Details
}

/** An error as a handler fails with it: `Effect.fail(failed("UnknownPipelineName", "…", { suggestion }))`. */
export const failed = <const Code extends ErrorCode>(
  error_code: Code,
  message: string,
  details: Details = {}
): Failure<Code> => ({ message, error_code, details })

/** The status a code is answered with. */
export const statusOf = (code: ErrorCode): number => statusByCode[code]

const statusByCode = Object.fromEntries(
  Object.entries(codes).flatMap(([status, ofStatus]) => ofStatus.map((code) => [code, Number(status)]))
) as Record<ErrorCode, number>
