/**
 * Feeds redrives to a pump: finds each letter in the log, has its record made again, sends it through the stages.
 *
 * @module
 */
import { Clock, Effect, type Scope } from "effect"
import type { Reason } from "../../../events/PipelineEvent.ts"
import { type OpenRedrive, owedBranches } from "../../../projections/OpenRedrive.ts"
import type { SourceRecord } from "../../drivers/Record.ts"
import { retrying } from "../../drivers/retryPolicy.ts"
import { nacked, type Outcome } from "../Outcome.ts"
import type { Plan } from "../Plan.ts"
import type { JournalError, Retry } from "../run/Journal.ts"
import { Telling } from "../run/Telling.ts"
import { atStage, type StageError } from "../StageError.ts"
import type { FetchLetter, KeptLetter } from "./KeptLetter.ts"
import type { Redriven } from "./RedriveWriting.ts"
import type { Redriving } from "./Redriving.ts"
import { recordBehind, recordOf } from "./recordOf.ts"

export type FeedMessage =
  | ({ readonly _tag: "Redriven" } & Redriven)
  | { readonly _tag: "Retrying"; readonly retry: Retry }

export interface FeedContext {
  readonly plan: Plan
  readonly fetch: FetchLetter
  readonly redriving: Redriving
  readonly tell: (message: FeedMessage) => Effect.Effect<unknown>
}

/** Never ends by itself. Its failures are those of the log; a record that cannot be had is nacked with the reason. */
export const feedRedrives = (
  context: FeedContext
): Effect.Effect<never, JournalError | StageError, Scope.Scope> =>
  Effect.forever(
    Effect.gen(function* () {
      const redrive = yield* context.redriving.next
      const began = yield* Clock.currentTimeMillis
      const message = yield* redriven(redrive, context)
      context.redriving.fed()
      yield* context.tell(message)
      // The next one is not to come sooner than its rate allows, whatever this one took.
      if (redrive.rate === null) return
      const took = (yield* Clock.currentTimeMillis) - began
      yield* Effect.sleep(Math.max(0, 1000 / redrive.rate - took))
    })
  )

const redriven = Effect.fnUntraced(function* (
  redrive: OpenRedrive,
  { fetch, plan, tell }: FeedContext
): Effect.fn.Return<FeedMessage, JournalError | StageError, Scope.Scope> {
  const kept = yield* fetch(redrive)
  const readAt = yield* Clock.currentTimeMillis
  const outcome = yield* Effect.scoped(outcomeOf(plan, kept, owedBranches(redrive), tell))
  return { _tag: "Redriven", redrive, batch: kept.batch.batch, outcome, readAt }
})

/** What becomes of a letter's record on these branches, by the plan. */
export const outcomeOf = Effect.fnUntraced(function* (
  plan: Plan,
  kept: KeptLetter,
  branches: ReadonlyArray<string>,
  tell: (message: FeedMessage) => Effect.Effect<unknown> = () => Effect.void
): Effect.fn.Return<Outcome, StageError, Scope.Scope> {
  const { offset, origin, source: stage } = kept.letter
  const nack = (reason: Reason) => nacked(stage, branches, reason)
  const route = sourceOf(plan, kept)?.route ?? plan.behind(stage)
  if (route === undefined) return nack(stageGone(stage))
  const found = yield* Effect.result(madeAgain(plan, kept, tell))
  if (found._tag === "Failure") return nack(found.failure.reason)
  const routed = route([found.success], offset, origin === undefined ? undefined : () => origin).pipe(
    Effect.provideService(Telling, (retry) => tell({ _tag: "Retrying", retry }))
  )
  // Stages with a memory are between two batches: a record that comes alone is not judged by it, and teaches nothing.
  const outcome = yield* plan.memory === undefined ? routed : plan.memory.oneAtATime.withPermits(1)(routed)
  const gone = branches.find((branch) => outcome.branches[branch] === undefined)
  return gone === undefined ? outcome : nack(stageGone(gone))
})

const madeAgain = (
  plan: Plan,
  kept: KeptLetter,
  tell: (message: FeedMessage) => Effect.Effect<unknown>
): Effect.Effect<SourceRecord, StageError, Scope.Scope> => {
  const { source: stage } = kept.letter
  const planned = sourceOf(plan, kept)
  if (planned === undefined) return Effect.sync(() => recordBehind(kept))
  const retried = retrying((attempt, reason, delayMs) =>
    tell({
      _tag: "Retrying",
      retry: { stage, batch: kept.batch.batch, attempt, reason, delayMs }
    })
  )
  return recordOf(planned.source, kept).pipe(retried, atStage(stage))
}

/** Of several sources that are read as one, as they are read today. */
const sourceOf = ({ sources }: Plan, { letter: { origin, source } }: KeptLetter) =>
  sources.find(({ stage, stages }) => stage === source || stages.includes(origin?.source ?? source))

const stageGone = (stage: string): Reason => ({
  code: "stage_gone",
  message: `the definition in force has no way to ${stage}`,
  suggestion: "give the definition its stage back, or discard the letter"
})
