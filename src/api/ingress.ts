/**
 * Records that are pushed into a pipeline.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"
import { Failure400, Failure404, Failure422, Failure503 } from "./failures.ts"
import { idempotencyKey, nameInPath } from "./values.ts"

/** What a body of records may be declared as; what counts is `format`. */
export const ingressTypes = [
  "application/x-ndjson",
  "application/ndjson",
  "application/json",
  "text/csv",
  "text/plain",
  "application/octet-stream"
] as const

/** Most bytes of one body of records. */
export const ingressBytesMost = 16 * 1024 * 1024

/** `format` is `json` (NDJSON, or an array with `array=true`) or `csv`; `force` pushes into a paused pipeline too. */
export const IngressQuery = {
  format: Schema.optionalKey(Schema.Literals(["json", "csv"])),
  array: Schema.optionalKey(Schema.Boolean),
  update_format: Schema.optionalKey(Schema.Literals(["raw", "insert_delete"])),
  force: Schema.optionalKey(Schema.Boolean)
}

const push = HttpApiEndpoint.post("pushRecords", "/v0/pipelines/:name/ingress/:stage", {
  params: { ...nameInPath, stage: Schema.String },
  query: IngressQuery,
  headers: idempotencyKey,
  payload: HttpApiSchema.StreamUint8Array({ contentType: ingressTypes, maxBytes: ingressBytesMost }),
  success: Schema.Struct({ token: Schema.String }),
  error: [Failure400, Failure404, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Push records into an `http` source",
    description:
      "Answered once the records are durable; the token tells later whether they are through. " +
      "Nothing is taken of a body with a record that cannot be read; `details.line` says where it stands. " +
      "With an `Idempotency-Key` the records are stored once, however often they are sent.",
    example: {
      request: '{"date":"2026-11-21","delay":75}\n',
      response: { token: "flights.8001.5d1c0a9be27f" }
    }
  })
)

const status = HttpApiEndpoint.get("getCompletionStatus", "/v0/pipelines/:name/completion_status", {
  params: nameInPath,
  query: { token: Schema.String },
  success: Schema.Struct({ status: Schema.Literals(["complete", "inprogress"]) }),
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "Are pushed records through?",
    description: "`complete` once every record has its outcome on every branch, durably.",
    example: { response: { status: "complete" } }
  })
)

export const ingress = HttpApiGroup.make("ingress")
  .add(push, status)
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ description: "Records that are pushed." }))
