/**
 * What a service is sent and what it answers, as JSON.
 *
 * The engine POSTs
 *
 *     { "records": [ { "index": 0, "payload": …, "key": "…", "metadata": { … }, "event_time": 1700000000000 }, … ] }
 *
 * `index` counts from 0 within the call; `key` and `event_time` (milliseconds since 1970) are there when the
 * record has them, `metadata` when there is any. The service answers 200 and, for every index exactly once
 * and in any order,
 *
 *     { "records": [
 *         { "index": 0, "status": "ok", "payload": … },         another payload
 *         { "index": 1, "status": "ok" },                       the payload as it was
 *         { "index": 2, "status": "ok", "payloads": [ … ] },    several records in its place, at least one
 *         { "index": 3, "status": "filter" },                   the record goes no further
 *         { "index": 4, "status": "nack", "error": { "code": "…", "message": "…" } },   a dead letter
 *         { "index": 5, "status": "retry", "error": … } ] }     to be asked again, in another call
 *
 * `error` may be left out, or be a text. A missing, doubled or unknown index, or anything else that is not
 * of this shape, spoils the whole call: which record an answer belongs to is never guessed.
 *
 * @module
 */
import type { Reason } from "../../../events/PipelineEvent.ts"
import { mayHoldLargeIntegers } from "../../drivers/file/json/exactIntegers.ts"
import { encodeJson } from "../../drivers/file/sink/encodeJson.ts"
import type { SourceRecord } from "../../drivers/Record.ts"

export type Answer =
  | { readonly _tag: "Ok"; readonly payloads: ReadonlyArray<unknown> | undefined }
  | { readonly _tag: "Filter" }
  | { readonly _tag: "Nack"; readonly reason: Reason }
  | { readonly _tag: "Retry"; readonly reason: Reason }

/** The answer is not of the shape above. */
export class ProtocolError extends Error {}

/** The part of a record that does not depend on the call it goes in. Throws when JSON cannot hold the payload. */
export const encodeRecord = (payload: unknown, { eventTime, key, metadata }: SourceRecord): string => {
  const parts = [`"payload":${encodeJson(payload)}`]
  if (key !== undefined) parts.push(`"key":${JSON.stringify(key)}`)
  if (Object.keys(metadata).length > 0) parts.push(`"metadata":${encodeJson(metadata)}`)
  if (eventTime !== undefined) parts.push(`"event_time":${eventTime}`)
  return parts.join(",")
}

/** The body of a call for these records. */
export const encodeCall = (records: ReadonlyArray<string>): string =>
  `{"records":[${records.map((record, index) => `{"index":${index},${record}}`).join(",")}]}`

/** What became of each of `count` records, in the order they were sent. Throws a `ProtocolError`. */
export const readAnswers = (body: Uint8Array, count: number): ReadonlyArray<Answer> => {
  const { hasInexact, value } = parse(body)
  const told = membersOf(value).records
  if (!Array.isArray(told)) throw new ProtocolError("it has no list of records")
  const answers: Array<Answer | undefined> = Array.from({ length: count })
  for (const each of told) {
    const record = membersOf(each)
    const { index } = record
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count) {
      throw new ProtocolError(`index ${shown(index)} was not asked for`)
    }
    if (answers[index] !== undefined) throw new ProtocolError(`index ${index} is answered twice`)
    const answer = answerOf(record, index)
    answers[index] = hasInexact ? exactly(answer) : answer
  }
  const missing = answers.indexOf(undefined)
  if (missing !== -1) throw new ProtocolError(`index ${missing} is not answered`)
  return answers as ReadonlyArray<Answer>
}

const answerOf = (record: Members, index: number): Answer => {
  switch (record.status) {
    case "ok":
      return okOf(record, index)
    case "filter":
      return { _tag: "Filter" }
    case "nack":
      return { _tag: "Nack", reason: reasonOf(record.error, "nacked", "the service refused the record") }
    case "retry":
      return { _tag: "Retry", reason: reasonOf(record.error, "retry", "the service asked to try again") }
    default:
      throw new ProtocolError(`the status of index ${index} is none of ok, filter, nack, retry`)
  }
}

const okOf = (record: Members, index: number): Answer => {
  const one = Object.hasOwn(record, "payload")
  if (Object.hasOwn(record, "payloads")) {
    const { payloads } = record
    if (one) throw new ProtocolError(`index ${index} has a payload and payloads`)
    if (!Array.isArray(payloads) || payloads.length === 0) {
      throw new ProtocolError(`the payloads of index ${index} are no list with something in it`)
    }
    return { _tag: "Ok", payloads }
  }
  return one ? { _tag: "Ok", payloads: [record.payload] } : { _tag: "Ok", payloads: undefined }
}

/** Invariant 8: a number that was rounded on its way is the record's dead letter. */
const exactly = (answer: Answer): Answer => {
  const rounded = answer._tag === "Ok" ? inexactIn(answer.payloads) : undefined
  if (rounded === undefined) return answer
  const message = `the service answered ${rounded.source}, an integer beyond 2^53, which JSON numbers here cannot hold exactly`
  return { _tag: "Nack", reason: { code: "unsafe_integer", message } }
}

const reasonOf = (error: unknown, code: string, message: string): Reason => {
  if (typeof error === "string") return { code, message: error }
  const told = typeof error === "object" && error !== null ? (error as Members) : {}
  const text = (key: string, otherwise: string) =>
    typeof told[key] === "string" && told[key] !== "" ? told[key] : otherwise
  return { code: text("code", code), message: text("message", message) }
}

type Members = Readonly<Record<string, unknown>>

const membersOf = (value: unknown): Members => {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members
  throw new ProtocolError(`${shown(value)} stands where an object belongs`)
}

/** Only numbers are repeated: a text of the answer may hold anything, a secret cut short included. */
const shown = (value: unknown): string => {
  if (typeof value === "number") return `${value}`
  if (value === undefined || value === null) return "nothing"
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`
}

/** Stands for an integer that has no exact value here, until it is known whose it is. */
class Inexact {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

const parse = (body: Uint8Array): { readonly value: unknown; readonly hasInexact: boolean } => {
  const text = new TextDecoder().decode(body)
  let hasInexact = false
  const marked = (_: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const source = context?.source
    if (typeof value !== "number" || source === undefined || Number.isSafeInteger(value)) return value
    if (!/^-?[0-9]+$/.test(source) || String(value) === source) return value
    hasInexact = true
    return new Inexact(source)
  }
  try {
    const value = mayHoldLargeIntegers(body) ? JSON.parse(text, marked) : JSON.parse(text)
    return { value, hasInexact }
  } catch {
    throw new ProtocolError("it is no JSON")
  }
}

const inexactIn = (value: unknown): Inexact | undefined => {
  if (value instanceof Inexact) return value
  if (typeof value !== "object" || value === null) return undefined
  for (const part of Object.values(value)) {
    const found = inexactIn(part)
    if (found !== undefined) return found
  }
  return undefined
}
