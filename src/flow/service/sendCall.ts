/**
 * One call of a service over HTTP, and what its answer means for the call as a whole.
 *
 *     2xx                  what became of each record
 *     408, 425, 429, 5xx   the same call may be answered elsewhere or later; so may one that got no answer
 *     401, 403             the service does not know us
 *     3xx, other 4xx       the stage is set up wrongly: a person is needed, no record is to blame
 *
 * @module
 */
import { Clock, Context, Effect } from "effect"
import { DriverError, type DriverErrorReason } from "../../drivers/DriverError.ts"
import type { CallHeaders } from "./headers.ts"
import { type Answer, ProtocolError, readAnswers } from "./protocol.ts"

/** How this process speaks HTTP; a test may stand between. */
export const Fetch = Context.Reference<typeof globalThis.fetch>("millrace/flow/service/Fetch", {
  defaultValue: () => globalThis.fetch
})

export interface CallSettings {
  readonly fetch: typeof globalThis.fetch
  readonly headers: CallHeaders
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

/** An answer whose body was read, up to the bound. */
interface Reply {
  readonly status: number
  readonly retryAfter: string | null
  readonly body: Uint8Array
  readonly isWhole: boolean
}

/** Sends the body to the URL. The deadline counts from here to the last byte of the answer; interruption cancels. */
export const sendCall = Effect.fnUntraced(function* (
  url: string,
  body: string,
  count: number,
  settings: CallSettings
): Effect.fn.Return<ReadonlyArray<Answer>, DriverError> {
  const { fetch, headers, maxResponseBytes, timeoutMs } = settings
  const request = {
    method: "POST",
    body,
    headers: { ...headers.values(), "content-type": "application/json", accept: "application/json" }
  }
  const late = () =>
    failed({
      _tag: "Timeout",
      code: "service_timeout",
      message: `${named(url)} did not answer within ${timeoutMs} ms`
    })
  const reply = yield* exchange(fetch, url, request, maxResponseBytes).pipe(
    Effect.timeoutOrElse({ duration: timeoutMs, orElse: late })
  )
  if (reply.status < 200 || reply.status > 299) {
    return yield* refused(url, reply, headers, yield* Clock.currentTimeMillis)
  }
  if (!reply.isWhole) {
    const message = `${named(url)} answered more than ${maxResponseBytes} bytes`
    return yield* misconfigured(
      "service_answer_too_large",
      message,
      "a smaller batch, or a larger max_response_bytes"
    )
  }
  return yield* Effect.try({
    try: () => readAnswers(reply.body, count).map((answer) => redacted(answer, headers)),
    catch: (cause) => {
      if (!(cause instanceof ProtocolError)) throw cause
      const message = `${named(url)} answered ${reply.status}, but ${cause.message}`
      return misconfigured(
        "service_answer_malformed",
        message,
        "the answer names every index of the call once, with its status"
      )
    }
  })
})

/** Does the endpoint answer a GET of its health path with 2xx? */
export const isWell = ({ fetch, headers, timeoutMs }: CallSettings, url: string): Effect.Effect<boolean> =>
  exchange(fetch, url, { method: "GET", headers: headers.values() }, 0).pipe(
    Effect.map(({ status }) => status >= 200 && status <= 299),
    Effect.timeoutOrElse({ duration: timeoutMs, orElse: () => Effect.succeed(false) }),
    Effect.orElseSucceed(() => false)
  )

const exchange = (
  fetch: CallSettings["fetch"],
  url: string,
  request: {
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
  },
  most: number
): Effect.Effect<Reply, DriverError> =>
  Effect.tryPromise({
    try: async (signal): Promise<Reply> => {
      // A redirect is not followed: it would carry records and secrets to whoever it names.
      const response = await fetch(url, { ...request, signal, redirect: "manual" })
      const isGood = response.ok
      const read = await readUpTo(response.body, isGood ? most : errorBytes)
      return { status: response.status, retryAfter: response.headers.get("retry-after"), ...read }
    },
    catch: (cause) =>
      new DriverError({
        driver: "service",
        operation: "call",
        reason: {
          _tag: "Unavailable",
          code: "service_unreachable",
          message: `${named(url)} could not be asked: ${networkCode(cause)}`
        }
      })
  })

/** Of an answer that says no, so much is read and told. */
const errorBytes = 2048
const toldLength = 200

const readUpTo = async (
  body: ReadableStream<Uint8Array> | null,
  most: number
): Promise<Pick<Reply, "body" | "isWhole">> => {
  const parts: Array<Uint8Array> = []
  let size = 0
  // Leaving the loop cancels the stream, and with it the connection.
  for await (const part of body ?? []) {
    size += part.byteLength
    parts.push(size > most ? part.subarray(0, part.byteLength - (size - most)) : part)
    if (size > most) return { body: Buffer.concat(parts), isWhole: false }
  }
  return { body: Buffer.concat(parts), isWhole: true }
}

const refused = (url: string, reply: Reply, headers: CallHeaders, now: number): DriverError => {
  const { status } = reply
  const text = headers.redact(new TextDecoder().decode(reply.body), reply.isWhole)
  const told = text.slice(0, toldLength).replaceAll(/\s+/g, " ").trim()
  const said = told === "" ? "" : `: ${told}`
  const message = `${named(url)} answered ${status}${said}`
  const code = `service_answered_${status}`
  const retryAfterMs = millisOf(reply.retryAfter, now)
  const later = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 408) return failed({ _tag: "Timeout", code, message })
  if (status === 429 || status === 425) return failed({ _tag: "Throttled", code, message, ...later })
  if (status >= 500) return failed({ _tag: "Unavailable", code, message, ...later })
  if (status === 401 || status === 403) {
    return failed({
      _tag: "Unauthorized",
      code,
      message,
      suggestion: "the headers of the stage say who is asking"
    })
  }
  return misconfigured(
    code,
    message,
    status < 400
      ? "redirects are not followed: name the URL that answers"
      : status === 413
        ? "a smaller batch"
        : "the service does not take what it is sent: compare its URL and the shape it expects"
  )
}

const failed = (reason: DriverErrorReason): DriverError =>
  new DriverError({ driver: "service", operation: "call", reason })

const misconfigured = (code: string, message: string, suggestion: string): DriverError =>
  failed({ _tag: "Misconfigured", code, message, suggestion })

/** Seconds or a date, as HTTP has it. */
const millisOf = (retryAfter: string | null, now: number): number | undefined => {
  if (retryAfter === null) return undefined
  if (/^[0-9]{1,9}$/.test(retryAfter.trim())) return Number(retryAfter) * 1000
  const date = Date.parse(retryAfter)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** The URL without what may be a secret in it. */
const named = (url: string): string => {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

/** Never the platform's message: it may show what was sent. */
const networkCode = (cause: unknown): string => {
  for (
    let each = cause;
    typeof each === "object" && each !== null;
    each = (each as { readonly cause?: unknown }).cause
  ) {
    const { code } = each as { readonly code?: unknown }
    if (typeof code === "string") return code
  }
  return "the connection failed"
}

/** Redacted first and cut then: half a secret is not found any more. */
const redacted = (answer: Answer, { redact }: CallHeaders): Answer => {
  if (answer._tag !== "Nack" && answer._tag !== "Retry") return answer
  const { code, message } = answer.reason
  return {
    ...answer,
    reason: { code: redact(code).slice(0, codeLength), message: redact(message).slice(0, messageLength) }
  }
}

const codeLength = 100
const messageLength = 1000
