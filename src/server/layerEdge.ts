/**
 * What does not fit the contract, told so that it can be mended: where it stands, and what was meant.
 *
 * @module
 */
import { Effect, Layer, type Types } from "effect"
import { HttpServerRequest } from "effect/http"
import { type HttpApiEndpoint, HttpApiError } from "effect/http-api"
import type { Finding } from "../../events/Finding.ts"
import { Edge } from "../api/Edge.ts"
import { type Failure, failed } from "../api/failures.ts"
import { schemaFindings } from "../flow/graph/schemaFindings.ts"

type Refusal = Failure<"BadRequest" | "InvalidJson" | "InvalidRuntimeConfig" | "InvalidProgramConfig">

/** How deep a body may be nested: what is kept of it is read by whoever reads the log. */
const depthMost = 64

export const layerEdge: Layer.Layer<Edge> = Layer.succeed(Edge, (http, { endpoint }) =>
  Effect.catch(
    Effect.andThen(refuseDepth(endpoint), http),
    (error): Effect.Effect<never, Refusal | Types.unhandled, HttpServerRequest.HttpServerRequest> =>
      HttpApiError.HttpApiSchemaError.is(error) ? refuse(error) : Effect.fail(error)
  )
)

const refuse = Effect.fnUntraced(function* (error: HttpApiError.HttpApiSchemaError) {
  // An answer of ours that does not fit the contract is our fault; the rim tells it as such.
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return yield* Effect.die(error)
  const request = yield* HttpServerRequest.HttpServerRequest
  if (error.kind !== "Payload") return yield* Effect.fail(refusalOf(error, sentBeside(error.kind, request)))
  const text = yield* Effect.orDie(request.text)
  if (text.trim() === "") return yield* Effect.fail(failed("BadRequest", "The body is missing", { path: "" }))
  const parsed = parse(text)
  return yield* Effect.fail("fault" in parsed ? parsed.fault : refusalOf(error, parsed.value))
})

/** Looked at before it is parsed: a mebibyte of brackets keeps a parser busy for seconds. */
const refuseDepth = Effect.fnUntraced(function* ({ payload }: HttpApiEndpoint.Top) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const type = request.headers["content-type"] ?? "application/json"
  const isJson = [...payload.values()].some(({ encoding }) => encoding._tag === "Json")
  if (!isJson || !/^application\/json\b/i.test(type)) return
  if (!isDeeper(yield* Effect.orDie(request.text), depthMost)) return
  const message = `The body is nested deeper than ${depthMost}`
  return yield* Effect.fail(failed("BadRequest", message, { where: "body", path: "" }))
})

/** Does the JSON text open more brackets than this before it closes them? */
const isDeeper = (text: string, most: number): boolean => {
  let depth = 0
  let quoted = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (quoted) {
      if (code === backslash) index++
      else if (code === quote) quoted = false
    } else if (code === quote) quoted = true
    else if (code === openBracket || code === openBrace) {
      if (++depth > most) return true
    } else if (code === closeBracket || code === closeBrace) depth--
  }
  return false
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [34, 92, 91, 93, 123, 125]

const parse = (text: string): { readonly value: unknown } | { readonly fault: Refusal } => {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    const message = `The body is not JSON: ${(error as Error).message}`
    return { fault: failed("InvalidJson", message, { path: "" }) }
  }
}

/** Everything but the body is text by name. */
const sentBeside = (
  kind: HttpApiError.HttpApiSchemaError["kind"],
  request: HttpServerRequest.HttpServerRequest
): unknown => {
  if (kind === "Headers") return request.headers
  const query = URL.parse(request.url, "http://localhost")?.searchParams
  return kind === "Query" ? Object.fromEntries(query ?? []) : {}
}

const refusalOf = ({ cause, kind }: HttpApiError.HttpApiSchemaError, value: unknown): Refusal => {
  const findings = schemaFindings(cause.issue, [], value)
  const [first] = findings
  if (first === undefined) return failed("BadRequest", cause.message, { where: kind.toLowerCase() })
  const others = findings.length === 1 ? "" : ` (and ${findings.length - 1} more)`
  return failed(codeOf(kind, first), `${first.message}${others}`, {
    where: kind === "Payload" ? "body" : kind.toLowerCase(),
    path: first.pointer,
    ...(first.suggestion === undefined ? {} : { suggestion: first.suggestion }),
    findings: findings.slice(0, findingsMost).map(({ code, message, pointer, suggestion }) => ({
      code,
      path: pointer,
      message,
      ...(suggestion === undefined ? {} : { suggestion })
    }))
  })
}

/** Findings that are listed; a body can have as many as it has bytes. */
const findingsMost = 100

const codeOf = (kind: string, { pointer }: Finding): Refusal["error_code"] => {
  if (kind === "Payload" && pointer.startsWith("/runtime_config")) return "InvalidRuntimeConfig"
  return kind === "Payload" && pointer.startsWith("/program_config") ? "InvalidProgramConfig" : "BadRequest"
}
