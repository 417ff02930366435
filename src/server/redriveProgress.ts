/**
 * The `getRedrive` operation: how far a redrive is, told from the log.
 *
 * @module
 */
import { Effect } from "effect"
import { type Failure, failed } from "../api/failures.ts"
import type { RedriveProgress } from "../api/redrives.ts"
import { EventLog } from "../log/EventLog.ts"
import type { LetterOutcome } from "../pipeline/letters/LetterRequest.ts"
import { type RedriveName, readRedrive } from "../pipeline/letters/readRedrive.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { outcomeJson } from "./deadLetterJson.ts"
import { pageItems } from "./layerHistory.ts"
import { logUnavailable } from "./pipelineNamed.ts"

interface Page {
  readonly limit?: number
  readonly after?: string
  readonly outcome?: LetterOutcome["outcome"]
}

/** `name` is what `redriveDeadLetters` has answered. Wakes nobody. */
export const redriveProgress = Effect.fnUntraced(function* (
  id: string,
  name: string,
  { after, limit = pageItems, outcome }: Page
) {
  const place = nameOf(name)
  if (place === undefined) return yield* unknown(name)
  const log = yield* EventLog
  const { letters, outcomes, stalledAt } = yield* Effect.mapError(readRedrive(log, id, place), logUnavailable)
  if (letters.length === 0) return yield* unknown(name)
  const bench = yield* benchOf(id)
  const asked = outcomes.filter((each) => outcome === undefined || each.outcome === outcome)
  const from = after === undefined ? 0 : asked.findIndex(({ letter }) => letter === after) + 1
  const page = asked.slice(from, from + limit)
  const open = outcomes.filter((each) => each.outcome === "open")
  const stalled = open[0]?.reason ?? (bench?.unpublished.length ? bench.stalled : null)
  return {
    redrive: name,
    requested: outcomes.length,
    settled: open.length === 0 && (bench?.unpublished.length ?? 0) === 0,
    open: open.length,
    ...countsOf(outcomes),
    stalled: stalled === null ? null : { ...stalled, version: stalledAt },
    outcomes: page.map(outcomeJson),
    next: from + limit < asked.length ? (page.at(-1)?.letter ?? null) : null
  } satisfies RedriveProgress as RedriveProgress
})

const countsOf = (outcomes: ReadonlyArray<LetterOutcome>) => {
  const counts = { applied: 0, filtered: 0, nacked: 0, withdrawn: 0, discarded: 0 }
  for (const { branches, outcome } of outcomes) {
    if (outcome === "left") {
      if (Object.values(branches).includes("applied")) counts.applied++
      else counts.filtered++
    } else if (outcome === "nacked" || outcome === "partly") counts.nacked++
    else if (outcome !== "open") counts[outcome]++
  }
  return counts
}

/** What the bench has under way; of a pipeline whose actor sleeps, or ends at this moment, nothing is. */
const benchOf = Effect.fnUntraced(function* (id: string) {
  const pipelines = yield* Pipelines
  return yield* pipelines.awake(id).pipe(
    Effect.flatMap((hosted) => (hosted === undefined ? Effect.undefined : hosted.actor.state)),
    Effect.map((state) => state?.bench),
    Effect.scoped,
    Effect.orElseSucceed(() => undefined)
  )
})

const nameOf = (text: string): RedriveName | undefined => {
  const [, after, until] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? []
  return after === undefined ? undefined : { after: Number(after), until: Number(until) }
}

const unknown = (name: string): Effect.Effect<never, Failure<"UnknownRedrive">> =>
  Effect.fail(
    failed("UnknownRedrive", `There is no redrive ${JSON.stringify(name.slice(0, 200))}`, {
      suggestion: "send the `redrive` that POST …/dead_letters/redrive has answered"
    })
  )
