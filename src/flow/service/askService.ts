/**
 * All records of a batch through a service: shared out to endpoints, asked in calls, asked elsewhere when an
 * endpoint fails, and put together again in their order.
 *
 * @module
 */
import { Array as Arr, Cause, Clock, Effect, Exit, Result, Semaphore } from "effect"
import type { Service } from "../../../events/Definition.ts"
import type { DriverError } from "../../drivers/DriverError.ts"
import type { Choice, Endpoint, Endpoints } from "./Endpoints.ts"
import * as Health from "./Health.ts"
import { type Answer, encodeCall } from "./protocol.ts"

/** A record on its way: its place in the batch, its encoded form, and the text that says whose it is. */
export interface Item {
  readonly at: number
  readonly record: string
  readonly hash: string | undefined
}

export interface Asking {
  readonly endpoints: Endpoints
  readonly service: Pick<Service, "balance" | "batch" | "concurrency">
  readonly send: (
    url: string,
    body: string,
    count: number
  ) => Effect.Effect<ReadonlyArray<Answer>, DriverError>
  /** How the records that got no answer are asked again. */
  readonly retried: <A>(call: Effect.Effect<A, DriverError>) => Effect.Effect<A, DriverError>
}

export type Answers = ReadonlyMap<number, Answer>

/** Records that go out together; with `choice` they belong to one endpoint. */
interface Call {
  readonly items: ReadonlyArray<Item>
  readonly choice: Choice | undefined
}

/**
 * Every item is answered once, by its place. Fails with what cannot be mended by asking again, and with the
 * last outage when asking again did not help. Batches of several sources share the bound on calls.
 */
export const askService = (
  asking: Asking
): ((items: ReadonlyArray<Item>) => Effect.Effect<Answers, DriverError>) => {
  const permits = Semaphore.makeUnsafe(asking.service.concurrency)
  return Effect.fnUntraced(function* (items) {
    const answers = new Map<number, Answer>()
    // Endpoints that have failed these records: others are asked first.
    const failed = new Set<number>()
    const attempt = Effect.gen(function* () {
      const open = items.filter(({ at }) => !answers.has(at))
      const calls = callsOf(open, asking, yield* Clock.currentTimeMillis, failed)
      const lost = yield* Effect.forEach(
        calls,
        (call) => permits.withPermit(lostBy(call, asking, failed, answers)),
        { concurrency: asking.service.concurrency }
      )
      const first = lost.find((error) => error !== undefined)
      if (first !== undefined) return yield* first
    })
    yield* asking.retried(attempt)
    return answers
  })
}

const callsOf = (
  items: ReadonlyArray<Item>,
  { endpoints, service }: Asking,
  now: number,
  failed: ReadonlySet<number>
): ReadonlyArray<Call> => {
  if (service.balance !== "consistent_hash") {
    return Arr.chunksOf(items, service.batch).map((chunk) => ({ items: chunk, choice: undefined }))
  }
  const groups = new Map<Endpoint, { readonly choice: Choice; readonly items: Array<Item> }>()
  for (const item of items) {
    const choice = endpoints.choose(now, failed, item.hash)
    const group = groups.get(choice.endpoint) ?? { choice, items: [] }
    groups.set(choice.endpoint, group)
    group.items.push(item)
  }
  return [...groups.values()].flatMap(({ choice, items: owned }) =>
    Arr.chunksOf(owned, service.batch).map((chunk) => ({ items: chunk, choice }))
  )
}

/** Makes the call and keeps its answers, or says why it may be made again. */
const lostBy = Effect.fnUntraced(function* (
  { choice, items }: Call,
  { endpoints, send }: Asking,
  failed: Set<number>,
  answers: Map<number, Answer>
): Effect.fn.Return<DriverError | undefined, DriverError> {
  const { endpoint, waitMs } = choice ?? endpoints.choose(yield* Clock.currentTimeMillis, failed)
  if (waitMs > 0) yield* Effect.sleep(Math.min(waitMs, longestWaitMs))
  endpoint.calls++
  endpoint.health = Health.asked(endpoint.health, yield* Clock.currentTimeMillis)
  const body = encodeCall(items.map(({ record }) => record))
  const result = yield* send(endpoint.url, body, items.length).pipe(
    Effect.onExit((exit) => settle(endpoint, exit)),
    Effect.result
  )
  if (Result.isSuccess(result)) {
    for (const [index, { at }] of items.entries()) answers.set(at, result.success[index]!)
    return undefined
  }
  if (!result.failure.isRetryable) return yield* result.failure
  failed.add(endpoint.number)
  return result.failure
})

/** Where every endpoint asks to be left alone, this is as long as a call waits for one. */
const longestWaitMs = 30_000
/** An endpoint that is asked too much and does not say for how long. */
const quietMs = 1000

const settle = (endpoint: Endpoint, exit: Exit.Exit<unknown, DriverError>) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    endpoint.calls--
    endpoint.health = after(endpoint.health, exit, now)
  })

const after = (health: Health.Health, exit: Exit.Exit<unknown, DriverError>, now: number): Health.Health => {
  if (Exit.isSuccess(exit)) return Health.succeeded()
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  // Given up, or refused for good: neither says that the endpoint is ill.
  if (error === undefined || !error.isRetryable) return Health.released(health)
  const { reason } = error
  if (reason._tag === "Throttled") return Health.quieted(health, now, reason.retryAfterMs ?? quietMs)
  const worse = Health.failed(health, now)
  const later = reason._tag === "Unavailable" ? reason.retryAfterMs : undefined
  return later === undefined ? worse : Health.quieted(worse, now, later)
}
