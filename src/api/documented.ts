/**
 * What the contract says of an endpoint in words, with an example of what goes in and what comes out.
 *
 * @module
 */
import type { Context, Schema } from "effect"
import { OpenApi } from "effect/http-api"

export interface Documentation {
  readonly summary: string
  readonly description: string
  /** `response` is the body of the first successful answer. Where nothing goes in and nothing comes out, `call` is the example. */
  readonly example:
    | { readonly request?: Schema.Json; readonly response: Schema.Json }
    | { readonly request?: Schema.Json; readonly call: `${string} /${string}` }
  /** The answer carries the version of the pipeline's definition as its ETag. */
  readonly etag?: true
}

/** Annotations for `endpoint.annotateMerge`. */
export const documented = ({ description, etag, example, summary }: Documentation): Context.Context<never> =>
  OpenApi.annotations({
    summary,
    description,
    transform: (operation) => {
      const responses = operation.responses as Record<string, Response>
      for (const [status, response] of Object.entries(responses)) {
        if (!status.startsWith("2")) continue
        if ("response" in example) addExample(response.content, example.response)
        if (etag) response.headers = { ...response.headers, etag: etagHeader }
      }
      if (example.request !== undefined) addExample(operation.requestBody?.content, example.request)
      if ("call" in example) operation["x-codeSamples"] = [{ lang: "http", source: example.call }]
      return operation
    }
  })

interface Response {
  readonly content?: Record<string, { example?: Schema.Json }>
  headers?: Record<string, unknown>
}

const etagHeader = {
  description: 'The version of the definition, quoted: send it back as `If-Match: "3"`',
  schema: { type: "string" }
}

const addExample = (content: Response["content"], example: Schema.Json): void => {
  for (const [type, media] of Object.entries(content ?? {})) {
    if (!type.startsWith("text/event-stream")) media.example = example
  }
}
