/**
 * The systems a pipeline can be connected to.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"

/** `source`, `sink` and `lookup` are the JSON Schema of what may stand beside `use:`; `null` where there is no such end. */
export const DriverJson = Schema.Struct({
  name: Schema.String,
  class: Schema.String,
  guarantee: Schema.String,
  source: Schema.Json,
  sink: Schema.Json,
  lookup: Schema.Json,
  /** The capability matrix: what it can, by capability. */
  capabilities: Schema.Record(Schema.String, Schema.Json)
}).annotate({ identifier: "Driver" })
export type DriverJson = typeof DriverJson.Type

const list = HttpApiEndpoint.get("listDrivers", "/v0/drivers", {
  success: Schema.Struct({ drivers: Schema.Array(DriverJson) })
}).annotateMerge(
  documented({
    summary: "The drivers there are",
    description: "What each one can, what it promises, and the settings it takes.",
    example: {
      response: {
        drivers: [
          {
            name: "console",
            class: "memory",
            guarantee: "at_least_once",
            source: null,
            sink: { type: "object" },
            lookup: null,
            capabilities: {}
          }
        ]
      }
    }
  })
)

export const drivers = HttpApiGroup.make("drivers")
  .add(list)
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ description: "The systems a pipeline can be connected to." }))
