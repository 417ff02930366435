/**
 * Which pipelines there are: make, read, change and remove them.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"
import { examplePipeline, exampleProgram } from "./examples.ts"
import { Failure400, Failure404, Failure409, Failure412, Failure422, Failure503 } from "./failures.ts"
import {
  PatchPipeline,
  PipelineResource,
  PostPutPipeline,
  SelectedPipeline,
  Selector
} from "./PipelineResource.ts"
import { idempotencyKey, ifMatch, nameInPath } from "./values.ts"

const selector = { selector: Schema.optionalKey(Selector) }
const created = PipelineResource.pipe(HttpApiSchema.status(201))

const list = HttpApiEndpoint.get("listPipelines", "/v0/pipelines", {
  query: selector,
  success: Schema.Array(SelectedPipeline),
  error: Failure503
}).annotateMerge(
  documented({
    summary: "List the pipelines",
    description: "All pipelines, as a plain array, by name. `selector=status` leaves out the long fields.",
    example: { response: [examplePipeline] }
  })
)

const create = HttpApiEndpoint.post("createPipeline", "/v0/pipelines", {
  headers: idempotencyKey,
  payload: PostPutPipeline,
  success: created,
  error: [Failure400, Failure409, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Create a pipeline",
    description:
      "`program_code` is a pipeline file, YAML or JSON. A program with errors is stored all the same: " +
      "`program_status` says what is wrong with it, and it cannot be started. A name that is taken is 409 `DuplicateName`.",
    example: {
      request: { name: "delayed-flights", program_code: exampleProgram },
      response: { ...examplePipeline, deployment_status: "Shutdown" }
    },
    etag: true
  })
)

const read = HttpApiEndpoint.get("getPipeline", "/v0/pipelines/:name", {
  params: nameInPath,
  query: selector,
  success: SelectedPipeline,
  error: [Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "Read a pipeline",
    description:
      "Poll it after a change: first `program_status` until it is `Success`, then `deployment_status`.",
    example: { response: examplePipeline },
    etag: true
  })
)

/** Gives up an unfinished run: it began under the program that is to be changed. */
const abandon = { abandon: Schema.optionalKey(Schema.Boolean) }

const put = HttpApiEndpoint.put("putPipeline", "/v0/pipelines/:name", {
  params: nameInPath,
  query: abandon,
  headers: ifMatch,
  payload: PostPutPipeline,
  success: [PipelineResource, created],
  error: [Failure400, Failure404, Failure409, Failure412, Failure503]
}).annotateMerge(
  documented({
    summary: "Create or replace a pipeline",
    description:
      "201 when it was created, 200 when it was replaced. A body whose name differs renames the pipeline. " +
      "A pipeline is replaced only while it is shut down. An unfinished run keeps its program: 409 `UnfinishedRun`, " +
      "unless `abandon=true` gives it up. `If-Match` gives 412 when the version is another one by now.",
    example: {
      request: { name: "delayed-flights", program_code: exampleProgram },
      response: { ...examplePipeline, deployment_status: "Shutdown" }
    },
    etag: true
  })
)

const patch = HttpApiEndpoint.patch("patchPipeline", "/v0/pipelines/:name", {
  params: nameInPath,
  query: abandon,
  headers: ifMatch,
  payload: PatchPipeline,
  success: PipelineResource,
  error: [Failure400, Failure404, Failure409, Failure412, Failure503]
}).annotateMerge(
  documented({
    summary: "Change some fields of a pipeline",
    description: "A field that is given is replaced as a whole; the others stay as they are.",
    example: {
      request: { description: "Flights more than two hours late" },
      response: { ...examplePipeline, description: "Flights more than two hours late" }
    },
    etag: true
  })
)

const remove = HttpApiEndpoint.delete("deletePipeline", "/v0/pipelines/:name", {
  params: nameInPath,
  headers: ifMatch,
  success: HttpApiSchema.Empty(200),
  error: [Failure400, Failure404, Failure409, Failure412, Failure503]
}).annotateMerge(
  documented({
    summary: "Remove a pipeline",
    description:
      "Only while it is shut down, else 400 `CannotDeleteNonShutdownPipeline`. Its events stay in the log.",
    example: { call: "DELETE /v0/pipelines/delayed-flights" }
  })
)

export const pipelines = HttpApiGroup.make("pipelines")
  .add(list, create, read, put, patch, remove)
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ description: "Which pipelines there are." }))
