/**
 * The service itself: whether it lives, whether it can be talked to, and its numbers.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"
import { Failure503 } from "./failures.ts"

export const Health = Schema.Struct({ status: Schema.Literal("ok") })
export type Health = typeof Health.Type

const health = HttpApiEndpoint.get("getHealth", "/healthz", { success: Health })
  .middleware(Edge)
  .annotateMerge(
    documented({
      summary: "Does it have to be started again?",
      description: "200 as long as the process does its work. Needs no token.",
      example: { response: { status: "ok" } }
    })
  )

const ready = HttpApiEndpoint.get("getReadiness", "/readyz", {
  success: Health,
  error: Failure503
}).annotateMerge(
  documented({
    summary: "May requests be sent here?",
    description: "503 while it starts, while it drains, and while the log does not answer. Needs no token.",
    example: { response: { status: "ok" } }
  })
)

const metrics = HttpApiEndpoint.get("getMetrics", "/metrics", {
  success: Schema.String.pipe(
    HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })
  )
})
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(
    documented({
      summary: "Numbers for Prometheus",
      description: "In the text format.",
      example: {
        response: '# TYPE millrace_records_read counter\nmillrace_records_read{pipeline="a"} 9000\n'
      }
    })
  )

export const service = HttpApiGroup.make("service")
  .add(health, ready, metrics)
  .annotateMerge(OpenApi.annotations({ description: "The service itself." }))
