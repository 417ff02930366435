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
import type { SourceRecord } from "../../drivers/Record.ts"
import { compileValue, type Value } from "../expression/Expression.ts"
import { broken, type PlanError } from "../PlanError.ts"
import { type Pieces, reasonOf } from "../Route.ts"
import { atStage, type StageError } from "../StageError.ts"
import { askService, type Item } from "../service/askService.ts"
import { converge } from "../service/converge.ts"
import { Endpoints } from "../service/Endpoints.ts"
import { resolveHeaders } from "../service/headers.ts"
import { type Answer, encodeRecord } from "../service/protocol.ts"
import { type CallSettings, Fetch, isWell, sendCall } from "../service/sendCall.ts"
import { watchHealth } from "../service/watchHealth.ts"
import { retriedAt, Telling } from "../Telling.ts"
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
    waiting: Effect.fnUntraced(function* (payloads, records) {
      const pieces: Array<Piece> = []
      const items = itemsOf(payloads, records, hashOf, pieces)
      const tell = yield* Telling
      yield* converge(
        items,
        (open) => Effect.map(ask(open), (answers) => settled(open, answers, payloads, pieces)),
        (attempt, reason, delayMs) => tell({ stage: name, batch: null, attempt, reason, delayMs })
      )
      return pieces
    }, atStage(name))
  }
})

type Piece = Pieces[number]

const compileHash = (name: string, { hash }: Service): Effect.Effect<Value | undefined, PlanError> => {
  const compiled = hash === undefined ? undefined : compileValue(hash)
  if (compiled === undefined || Result.isSuccess(compiled)) return Effect.succeed(compiled?.success)
  return Effect.fail(
    broken(finding("bad_expression", ["stages", name, "service", "hash"], compiled.failure.message))
  )
}

/** What goes out; a record that cannot has its piece already. */
const itemsOf = (
  payloads: ReadonlyArray<unknown>,
  records: ReadonlyArray<SourceRecord>,
  hashOf: Value | undefined,
  pieces: Array<Piece>
): ReadonlyArray<Item> =>
  payloads.flatMap((payload, at) => {
    const record = records[at]!
    const { eventTime = null, key = null, metadata } = record
    let code = "expression_failed"
    try {
      const hash = hashOf && keyText([hashOf({ record: payload, metadata, key, event_time: eventTime })])
      code = "encoding_failed"
      return [{ at, hash, record: encodeRecord(payload, record) }]
    } catch (error) {
      pieces[at] = { _tag: "Failed", reason: reasonOf(error, code) }
      return []
    }
  })

/** Puts what is settled in its place; what is to be asked again is left. */
const settled = (
  open: ReadonlyArray<Item>,
  answers: ReadonlyMap<number, Answer>,
  payloads: ReadonlyArray<unknown>,
  pieces: Array<Piece>
) => {
  const items: Array<Item> = []
  let reason = { code: "", message: "" }
  for (const item of open) {
    const answer = answers.get(item.at)!
    if (answer._tag !== "Retry") pieces[item.at] = pieceOf(answer, payloads[item.at])
    else {
      if (items.length === 0) reason = answer.reason
      items.push(item)
    }
  }
  return { items, reason }
}

const pieceOf = (answer: Exclude<Answer, { readonly _tag: "Retry" }>, payload: unknown): Piece => {
  switch (answer._tag) {
    case "Filter":
      return { _tag: "Dropped" }
    case "Nack":
      return { _tag: "Failed", reason: answer.reason }
    case "Ok":
      return answer.payloads === undefined
        ? { _tag: "Passed", payload }
        : answer.payloads.length === 1
          ? { _tag: "Passed", payload: answer.payloads[0] }
          : { _tag: "Split", payloads: answer.payloads }
  }
}
