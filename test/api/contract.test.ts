import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { OpenApi } from "effect/http-api"
import { Api } from "../../src/api/Api.ts"
import { checkName } from "../../src/api/checkName.ts"
import { codes, failed, statusOf } from "../../src/api/failures.ts"
import { longFields, PipelineResource, SelectedPipeline } from "../../src/api/PipelineResource.ts"
import { mayCall, requiredScope, Scope } from "../../src/api/scopes.ts"

/** What clients of the `/v0/pipelines` resource rely on, as data: names, kinds and values. */
const facts = {
  resource: {
    id: "string",
    name: "string",
    description: "string",
    created_at: "string",
    version: "integer",
    platform_version: "string",
    runtime_config: "object",
    program_code: "string",
    udf_rust: "string",
    udf_toml: "string",
    program_config: "object",
    program_info: "object|null",
    program_version: "integer",
    program_status: "string|object",
    program_status_since: "string",
    deployment_status: "string",
    deployment_status_since: "string",
    deployment_desired_status: "string",
    deployment_error: "object|null",
    refresh_version: "integer"
  },
  statusOnlyLacks: [
    "runtime_config",
    "program_code",
    "udf_rust",
    "udf_toml",
    "program_config",
    "program_info"
  ],
  sent: {
    PostPutPipeline: {
      name: "string",
      program_code: "string",
      description: "string|null",
      runtime_config: "object|null",
      program_config: "object|null",
      udf_rust: "string|null",
      udf_toml: "string|null"
    },
    PatchPipeline: {
      name: "string|null",
      program_code: "string|null",
      description: "string|null",
      runtime_config: "object|null",
      program_config: "object|null",
      udf_rust: "string|null",
      udf_toml: "string|null"
    }
  },
  required: { PostPutPipeline: ["name", "program_code"], PatchPipeline: [] },
  runtimeConfig: {
    workers: "integer|null",
    max_buffering_delay_usecs: "integer|null",
    min_batch_size_records: "integer|null",
    fault_tolerance: "object|null",
    clock_resolution_usecs: "integer|null",
    tracing: "boolean|null",
    tracing_endpoint_jaeger: "string|null",
    resources: "object|null",
    storage: "boolean|object|null"
  },
  deployment: [
    "Shutdown",
    "Provisioning",
    "Initializing",
    "Paused",
    "Running",
    "Unavailable",
    "Failed",
    "ShuttingDown"
  ],
  desired: ["Shutdown", "Paused", "Running"],
  program: ["Pending", "CompilingSql", "SqlCompiled", "CompilingRust", "Success"],
  programFaults: ["SqlError", "RustError", "SystemError"],
  compilerMessage: [
    "start_line_number",
    "start_column",
    "end_line_number",
    "end_column",
    "warning",
    "error_type",
    "message",
    "snippet"
  ],
  programInfo: ["schema", "input_connectors", "output_connectors", "udf_stubs"],
  relation: ["name", "case_sensitive", "fields", "materialized", "properties"],
  error: ["message", "error_code", "details"],
  codes: {
    DuplicateName: 409,
    UnknownPipelineName: 404,
    CannotUpdateNonShutdownPipeline: 400,
    CannotDeleteNonShutdownPipeline: 400,
    CannotRenameNonExistingPipeline: 400,
    EmptyName: 400,
    TooLongName: 400,
    NameDoesNotMatchPattern: 400,
    InvalidPipelineAction: 400,
    InvalidRuntimeConfig: 400,
    InvalidProgramConfig: 400,
    StartFailedDueToFailedCompilation: 400,
    IllegalPipelineStateTransition: 400,
    OutdatedPipelineVersion: 409,
    PipelineInteractionNotDeployed: 400,
    PipelineInteractionUnreachable: 503,
    InvalidApiKey: 401
  },
  answers: {
    "GET /v0/pipelines": [200],
    "POST /v0/pipelines": [201, 400, 409],
    "GET /v0/pipelines/{name}": [200, 404],
    "PUT /v0/pipelines/{name}": [200, 201, 400, 409],
    "PATCH /v0/pipelines/{name}": [200, 400, 404, 409],
    "DELETE /v0/pipelines/{name}": [200, 400, 404],
    "POST /v0/pipelines/{name}/start": [202, 400, 404],
    "POST /v0/pipelines/{name}/pause": [202, 400, 404],
    "POST /v0/pipelines/{name}/shutdown": [202, 400, 404],
    "POST /v0/pipelines/{name}/checkpoint": [200, 400, 404],
    "GET /v0/pipelines/{name}/stats": [200, 400, 404],
    "POST /v0/pipelines/{name}/ingress/{stage}": [200, 400, 404]
  }
} as const

// A JSON Schema is as deep as it likes.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Json = any

const spec: Json = OpenApi.fromApi(Api)
const resolve = (schema: Json): Json =>
  schema.$ref === undefined ? schema : spec.components.schemas[schema.$ref.split("/").at(-1)]

/** `string|null` and the like. */
const kindOf = (given: Json): string => {
  const schema = resolve(given)
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(kindOf))].join("|")
  return Array.isArray(schema.type) ? schema.type.join("|") : schema.type
}
const kindsOf = (schema: Json) =>
  Object.fromEntries(Object.entries(resolve(schema).properties).map(([name, of]) => [name, kindOf(of)]))
const branches = (schema: Json): ReadonlyArray<Json> => resolve(schema).anyOf.map(resolve)
const operations: ReadonlyArray<{ readonly call: string; readonly operation: Json }> = Object.entries<Json>(
  spec.paths
).flatMap(([path, methods]) =>
  Object.entries<Json>(methods).map(([method, operation]) => ({
    call: `${method.toUpperCase()} ${path}`,
    operation
  }))
)

describe("the pipeline resource", () => {
  const { properties, required } = spec.components.schemas.Pipeline

  it("has the fields its clients know, and ours beside them", () => {
    const { lifecycle, program_findings, progress, run, ...known } = kindsOf(spec.components.schemas.Pipeline)
    assert.deepEqual(known, facts.resource)
    assert.deepEqual(
      [lifecycle, run, progress, program_findings],
      ["string", "object|null", "object|null", "array"]
    )
    assert.sameMembers(required, [
      ...Object.keys(facts.resource),
      "lifecycle",
      "run",
      "progress",
      "program_findings"
    ])
    assert.sameMembers([...longFields], [...facts.statusOnlyLacks, "program_findings"])
    const optional = Object.keys(properties).filter(
      (name) => !spec.components.schemas.SelectedPipeline.required.includes(name)
    )
    assert.sameMembers(optional, [...facts.statusOnlyLacks, "program_findings"])
  })

  it("has their statuses", () => {
    assert.sameMembers(properties.deployment_status.enum, [...facts.deployment])
    assert.sameMembers(properties.deployment_desired_status.enum, [...facts.desired])
    const [stages, ...faults] = branches(properties.program_status)
    assert.sameMembers(stages.enum, [...facts.program])
    assert.deepEqual(
      faults.flatMap(({ required }) => required),
      [...facts.programFaults]
    )
    assert.sameMembers(faults[0].properties.SqlError.items.required, [...facts.compilerMessage])
    const info = branches(properties.program_info).find(({ type }) => type === "object")
    assert.sameMembers(info.required, [...facts.programInfo])
    assert.sameMembers(resolve(info.properties.schema.properties.inputs.items).required, [...facts.relation])
    const error = branches(properties.deployment_error).find(({ type }) => type === "object")
    assert.sameMembers(error.required, [...facts.error])
  })

  it("takes what they send", () => {
    for (const name of ["PostPutPipeline", "PatchPipeline"] as const) {
      const schema = spec.components.schemas[name]
      assert.deepEqual(kindsOf(schema), facts.sent[name])
      assert.sameMembers(schema.required ?? [], [...facts.required[name]])
      assert.strictEqual(schema.additionalProperties, false)
      const config = branches(schema.properties.runtime_config).find(({ type }) => type === "object")
      assert.deepEqual(kindsOf(config), facts.runtimeConfig)
      assert.notStrictEqual(config.additionalProperties, false)
    }
  })

  it("keeps settings it has no meaning for", () => {
    const sent = {
      workers: 8,
      cpu_profiler: true,
      storage: { backend: { name: "default" } },
      fault_tolerance: null
    }
    const decoded = Schema.decodeUnknownSync(PipelineResource.fields.runtime_config)(sent)
    assert.deepEqual<unknown>(decoded, sent)
  })
})

describe("the contract", () => {
  it("answers with the statuses its clients know", () => {
    for (const [call, statuses] of Object.entries(facts.answers)) {
      const found = operations.find((of) => of.call === call)
      assert.includeMembers(Object.keys(found?.operation.responses ?? {}), statuses.map(String), call)
    }
  })

  it("says no with their codes, each under one status", () => {
    for (const [code, status] of Object.entries(facts.codes)) {
      assert.strictEqual(statusOf(code as keyof typeof facts.codes), status, code)
    }
    const all = Object.values(codes).flat()
    assert.strictEqual(new Set(all).size, all.length)
    assert.deepEqual(Object.keys(failed("EmptyName", "")), [...facts.error])
  })

  it("describes every operation, with an example", () => {
    assert.lengthOf(operations, Object.keys(requiredScope).length)
    for (const { call, operation } of operations) {
      assert.isAbove(operation.summary?.length ?? 0, 5, call)
      assert.isAbove(operation.description?.length ?? 0, 15, call)
      const contents: ReadonlyArray<Json> = Object.entries<Json>(operation.responses)
        .filter(([status]) => status.startsWith("2"))
        .flatMap(([, response]) => Object.values<Json>(response.content ?? {}))
      const hasExample = contents.some(({ example }) => example !== undefined)
      assert.isTrue(hasExample || operation["x-codeSamples"] !== undefined, call)
      for (const media of Object.values<Json>(operation.requestBody?.content ?? {})) {
        assert.isDefined(media.example, call)
      }
    }
  })

  it("has a scope for every operation, and asks for a token unless it is public", () => {
    for (const { operation } of operations) {
      const id = operation.operationId.split(".").at(-1)
      assert.property(requiredScope, id)
      const isPublic = requiredScope[id as keyof typeof requiredScope] === "public"
      assert.deepEqual(operation.security, isPublic ? [] : [{ token: [] }], id)
    }
  })

  it("lets a scope do what it says, and everything below", () => {
    const allowed = (scope: Scope) =>
      Object.keys(requiredScope).filter((operation) => mayCall(scope, operation))
    const [read, operate, admin] = Scope.literals.map(allowed) as [
      Array<string>,
      Array<string>,
      Array<string>
    ]
    assert.includeMembers(operate, read)
    assert.includeMembers(admin, operate)
    assert.notInclude(read, "startPipeline")
    assert.notInclude(operate, "deletePipeline")
    assert.sameMembers(admin, Object.keys(requiredScope))
    assert.isFalse(mayCall("operate", "nobody knows it"))
  })

  it("has examples that fit it", () => {
    const decode = Schema.decodeUnknownSync(SelectedPipeline, { onExcessProperty: "error" })
    const { example } = spec.paths["/v0/pipelines/{name}"].get.responses["200"].content["application/json"]
    assert.strictEqual(decode(example).name, "delayed-flights")
  })
})

describe("a name", () => {
  it.each([
    ["delayed-flights_2", undefined, undefined],
    ["", "EmptyName", undefined],
    ["a".repeat(101), "TooLongName", undefined],
    ["invalid-name.db", "NameDoesNotMatchPattern", "invalid-name-db"],
    ["ä", "NameDoesNotMatchPattern", undefined]
  ])("%j is refused as %s", (name, code, suggestion) => {
    const refused = checkName(name)
    assert.strictEqual(refused?.error_code, code)
    assert.strictEqual(refused?.details.suggestion, suggestion)
  })
})
