/**
 * The tests beside a pipeline, as data: `delayed-flights.test.yaml` beside `delayed-flights.yaml`.
 *
 *     tests:
 *       - name: a flight that is late gets the name of its airport
 *         given: { flights: [{ origin: JFK, delay: 75 }] }
 *         lookups: { named: [{ iata: JFK, name: New York }] }
 *         then: { store: [{ airport: New York }] }
 *
 * A record of `given` is a payload; with the members `payload` and, of `key`, `metadata`, `event_time`, any or
 * none, and no others, it is a record with more than its payload. A payload that happens to look like that is
 * written as `{ payload: { payload: … } }`.
 *
 * @module
 */
import { Effect, Result, Schema } from "effect"
import { type Finding, finding } from "../../../events/Finding.ts"
import { schemaFindings } from "../../flow/graph/schemaFindings.ts"
import { GivenRecord } from "./Rehearsal.ts"

const Records = Schema.Array(Schema.Json)
const Row = Schema.Record(Schema.String, Schema.Json)

const Answer = Schema.Struct({
  asked: Schema.optionalKey(Schema.Json),
  status: Schema.optionalKey(Schema.Literals(["ok", "filter", "nack"])),
  payload: Schema.optionalKey(Schema.Json),
  payloads: Schema.optionalKey(Records.check(Schema.isMinLength(1))),
  error: Schema.optionalKey(Schema.Struct({ code: Schema.NonEmptyString, message: Schema.String }))
})

/** What is known of a dead letter: all of it that is named must be so, of the message a part is enough. */
const ExpectedLetter = Schema.Struct({
  source: Schema.optionalKey(Schema.String),
  offset: Schema.optionalKey(Schema.Int),
  stage: Schema.optionalKey(Schema.String),
  branches: Schema.optionalKey(Schema.Array(Schema.String)),
  code: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  record: Schema.optionalKey(Schema.Json)
})
export type ExpectedLetter = typeof ExpectedLetter.Type

const Then = Schema.StructWithRest(
  Schema.Struct({ dead_letters: Schema.optionalKey(Schema.Array(ExpectedLetter)) }),
  [Schema.Record(Schema.String, Schema.Json)]
)

/**
 * One test. `then` names sinks with all records they get, in order; one that is not named is not looked at,
 * unless the test is `exact`: then it gets nothing. Dead letters that are not named must not be there. `fails`
 * is the code of the failure that ends the run.
 */
const TestCase = Schema.Struct({
  name: Schema.NonEmptyString,
  at: Schema.optionalKey(Schema.String),
  given: Schema.Record(Schema.String, Records),
  lookups: Schema.Record(Schema.String, Schema.Array(Row)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed({}))
  ),
  services: Schema.Record(Schema.String, Schema.Array(Answer)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed({}))
  ),
  exact: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(false))),
  fails: Schema.optionalKey(Schema.NonEmptyString),
  // biome-ignore lint/suspicious/noThenProperty: it is read as data, nobody awaits it
  then: Then
})

/** `environment` has the values of variables in the pipeline's file, so that a test means the same everywhere. */
const TestFile = Schema.Struct({
  environment: Schema.Record(Schema.String, Schema.String).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed({}))
  ),
  tests: Schema.Array(TestCase).check(Schema.isMinLength(1, { message: "at least one test" }))
})

/** A test ready to run. */
export interface Test {
  readonly name: string
  readonly at: number | undefined
  readonly given: Readonly<Record<string, ReadonlyArray<unknown>>>
  readonly lookups: (typeof TestCase.Type)["lookups"]
  readonly services: (typeof TestCase.Type)["services"]
  readonly exact: boolean
  readonly fails: string | null
  readonly sinks: Readonly<Record<string, ReadonlyArray<unknown>>>
  readonly deadLetters: ReadonlyArray<ExpectedLetter>
}

export interface Tests {
  readonly environment: Readonly<Record<string, string>>
  readonly tests: ReadonlyArray<Test>
}

/** Reads a test file that has been parsed; every finding at once, with pointers into the document. */
export const decodeTests = (document: unknown): Result.Result<Tests, ReadonlyArray<Finding>> => {
  const decoded = Schema.decodeUnknownResult(TestFile)(document, {
    errors: "all",
    onExcessProperty: "error"
  })
  if (Result.isFailure(decoded)) return Result.fail(schemaFindings(decoded.failure.issue, [], document))
  const { environment, tests } = decoded.success
  const findings: Array<Finding> = []
  const ready = tests.map((test, index) => testOf(test, ["tests", index], findings))
  const names = new Set<string>()
  for (const [index, { name }] of tests.entries()) {
    if (names.has(name)) {
      findings.push(finding("duplicate_test", ["tests", index, "name"], `another test is called ${name} too`))
    }
    names.add(name)
  }
  return findings.length > 0 ? Result.fail(findings) : Result.succeed({ environment, tests: ready })
}

type Path = ReadonlyArray<PropertyKey>

const testOf = (test: typeof TestCase.Type, at: Path, findings: Array<Finding>): Test => {
  const { dead_letters, ...sinks } = test.then
  return {
    name: test.name,
    at: test.at === undefined ? undefined : instantOf(test.at, [...at, "at"], findings),
    given: Object.fromEntries(
      Object.entries(test.given).map(([source, records]) => [
        source,
        records.map((record, index) => recordOf(record, [...at, "given", source, index], findings))
      ])
    ),
    lookups: test.lookups,
    services: test.services,
    exact: test.exact,
    fails: test.fails ?? null,
    sinks: Object.fromEntries(
      Object.entries(sinks).map(([sink, records]) => [
        sink,
        recordsOf(records, [...at, "then", sink], findings)
      ])
    ),
    deadLetters: dead_letters ?? []
  }
}

const recordsOf = (value: unknown, at: Path, findings: Array<Finding>): ReadonlyArray<unknown> => {
  if (Array.isArray(value)) return value
  findings.push(finding("wrong_type", at, `${String(at.at(-1))} takes a list of records`, "[] for none"))
  return []
}

const envelopeKeys = ["payload", "key", "metadata", "event_time"]

const recordOf = (value: Schema.Json, at: Path, findings: Array<Finding>): unknown => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  const envelope = value as { readonly [key: string]: Schema.Json }
  const isEnvelope =
    Object.hasOwn(envelope, "payload") && Object.keys(envelope).every((key) => envelopeKeys.includes(key))
  if (!isEnvelope) return value
  const { event_time, key, metadata, payload } = envelope
  const wrong = (member: string, takes: string) => {
    findings.push(
      finding(
        "wrong_type",
        [...at, member],
        `${member} of a record takes ${takes}`,
        "{ payload: { … } } around the whole, if it is a payload that looks like a record"
      )
    )
    return undefined
  }
  const isMapping = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata)
  const keyed = key === undefined || typeof key === "string" ? key : wrong("key", "a text")
  const described = metadata === undefined || isMapping ? metadata : wrong("metadata", "a mapping")
  const eventTime =
    event_time === undefined || typeof event_time === "number"
      ? event_time
      : typeof event_time === "string"
        ? instantOf(event_time, [...at, "event_time"], findings)
        : wrong("event_time", "an instant, or milliseconds since 1970")
  return new GivenRecord(payload, {
    ...(keyed === undefined ? {} : { key: keyed }),
    ...(described === undefined ? {} : { metadata: described as Readonly<Record<string, unknown>> }),
    ...(eventTime === undefined ? {} : { eventTime })
  })
}

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/

/** With its zone: an instant without one would be another on every machine. */
const instantOf = (text: string, at: Path, findings: Array<Finding>): number | undefined => {
  const ms = instant.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(ms)) return ms
  const message = `${JSON.stringify(text)} is no instant`
  findings.push(finding("bad_value", at, message, "an instant with its zone, like 2026-03-29T01:59:59Z"))
  return undefined
}
