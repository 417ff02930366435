/**
 * A stage whose work a service does that is asked over HTTP.
 *
 * A service may answer differently when a batch is tried again, and is asked at least once for each record,
 * not exactly once: a call whose answer was lost is made again. An attempt is sealed with the outcome it came
 * to, and the attempt whose write took the key is the truth for its branch.
 *
 * @module
 */
import { Effect, type Scope as EffectScope, Result } from "effect"
import type { Service } from "../../../events/Definition.ts"
import { finding } from "../../../events/Finding.ts"
import { keyText } from "../../drivers/Lookup.ts"
import { compileValue, type Value } from "../expression/Expression.ts"
import { broken, type PlanError } from "../PlanError.ts"
import { type Answers, type Origin, reasonOf } from "../route/Route.ts"
import { retriedAt } from "../run/Telling.ts"
import { atStage, type StageError } from "../StageError.ts"
import { askService, type Item } from "../service/askService.ts"
import { Endpoints } from "../service/Endpoints.ts"
import { resolveHeaders } from "../service/headers.ts"
import { type Answer, encodeRecord } from "../service/protocol.ts"
import { type CallSettings, Fetch, isWell, sendCall } from "../service/sendCall.ts"
import { watchHealth } from "../service/watchHealth.ts"
import type { StageWork } from "./compileWork.ts"

export const compileService = Effect.fnUntraced(function* (
  name: string,
  service: Service
): Effect.fn.Return<StageWork, PlanError | StageError, EffectScope.Scope> {
  const hashOf = yield* compileHash(name, service)
  const settings: CallSettings = {
    fetch: yield* Fetch,
    headers: yield* resolveHeaders(service.headers).pipe(atStage(name)),
    timeoutMs: service.timeout,
    maxResponseBytes: service.maxResponseBytes
  }
  const endpoints = new Endpoints(service)
  if (service.health !== undefined) {
    yield* watchHealth(endpoints, service.health, (url) => isWell(settings, url))
  }
  const ask = askService({
    endpoints,
    service,
    send: (url, body, count) => sendCall(url, body, count, settings),
    retried: retriedAt(name)
  })
  return {
    waiting: Effect.fnUntraced(function* (payloads, origins) {
      const answers: Array<Answers[number]> = []
      const items = itemsOf(payloads, origins, hashOf, answers)
      const answered = yield* ask(items)
      for (const { at } of items) answers[at] = answerOf(answered.get(at)!, payloads[at])
      return answers
    }, atStage(name))
  }
})

const compileHash = (name: string, { hash }: Service): Effect.Effect<Value | undefined, PlanError> => {
  const compiled = hash === undefined ? undefined : compileValue(hash)
  if (compiled === undefined || Result.isSuccess(compiled)) return Effect.succeed(compiled?.success)
  return Effect.fail(
    broken(finding("bad_expression", ["stages", name, "service", "hash"], compiled.failure.message))
  )
}

/** What goes out; a record that cannot has its answer already. */
const itemsOf = (
  payloads: ReadonlyArray<unknown>,
  origins: ReadonlyArray<Origin>,
  hashOf: Value | undefined,
  answers: Array<Answers[number]>
): ReadonlyArray<Item> =>
  payloads.flatMap((payload, at) => {
    const { record } = origins[at]!
    const { eventTime = null, key = null, metadata } = record
    let code = "expression_failed"
    try {
      const hash = hashOf && keyText([hashOf({ record: payload, metadata, key, event_time: eventTime })])
      code = "encoding_failed"
      return [{ at, hash, record: encodeRecord(payload, record) }]
    } catch (error) {
      answers[at] = { _tag: "Failed", reason: reasonOf(error, code) }
      return []
    }
  })

const answerOf = (answer: Answer, payload: unknown): Answers[number] => {
  switch (answer._tag) {
    case "Filter":
      return { _tag: "Dropped" }
    case "Retry":
      return answer
    case "Nack":
      return { _tag: "Failed", reason: answer.reason }
    case "Ok":
      return answer.payloads === undefined
        ? { _tag: "Passed", payload }
        : answer.payloads.length === 1
          ? { _tag: "Passed", payload: answer.payloads[0] }
          : { _tag: "Many", payloads: answer.payloads }
  }
}
