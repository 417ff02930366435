/**
 * Redrives at work beside no run: only the sinks they are owed to are opened, and no source is read on.
 *
 * Records go behind what an output holds. One that is complete gets them out of sight and is made visible again as
 * a whole, by the steps of a run: its finish is logged, then it is published, then that is logged.
 *
 * @module
 */
import { Deferred, Effect, Queue, type Scope } from "effect"
import { isSealed, owedBranches } from "../../../projections/OpenRedrive.ts"
import { own } from "../../../projections/own.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { Receipt } from "../../drivers/Sink.ts"
import type { Plan } from "../Plan.ts"
import type { Journal } from "../run/Journal.ts"
import { type Lane, runLane } from "../run/Lane.ts"
import { askHeldRedrives, openLanes, publish } from "../run/lanes.ts"
import { makePump } from "../run/Pump.ts"
import type { Message } from "../run/PumpContext.ts"
import type { RunWorker, RunWorkerError, RunWorkerOptions } from "../run/RunWorker.ts"
import { atStage } from "../StageError.ts"
import { feedRedrives } from "./feedRedrives.ts"
import { Redriving } from "./Redriving.ts"

/** What is left to be done is in the log at any time, so a session may be cut off anywhere. */
export const makeSession = Effect.fnUntraced(function* (
  options: RunWorkerOptions
): Effect.fn.Return<RunWorker> {
  const stop = yield* Deferred.make<void>()
  const asked = new Set<string>()
  const inbox = yield* Queue.unbounded<Message>()
  const sinks = options.plan.sinks.map(({ stage }) => stage)
  const redriving = new Redriving(options.state, sinks, options.plan.isSink, true)
  const look = Effect.asVoid(Queue.offer(inbox, { _tag: "Look" }))
  return {
    run: Effect.as(run(options, { redriving, inbox, asked, stop }), { _tag: "Finished" }),
    stop: Effect.suspend(() => {
      redriving.stop()
      return look
    }),
    settle: Effect.void,
    redrive: (state) =>
      Effect.suspend(() => {
        return redriving.update(state) ? look : Effect.void
      }),
    progress: () => [],
    waitingFor: () => [...asked]
  }
})

interface Inside {
  readonly redriving: Redriving
  readonly inbox: Queue.Queue<Message>
  readonly asked: Set<string>
  readonly stop: Deferred.Deferred<void>
}

const run = Effect.fnUntraced(function* (
  { epoch, fetch, journal: log, plan, state: before }: RunWorkerOptions,
  { asked, inbox, redriving, stop }: Inside
): Effect.fn.Return<void, RunWorkerError, Scope.Scope> {
  let state = before
  const journal: Journal = {
    append: (entry) =>
      Effect.tap(log.append(entry), (after) =>
        Effect.sync(() => {
          state = after
        })
      )
  }
  yield* publishFinished(plan, before, epoch, journal)
  const lanes = yield* openLanes(plan, state, epoch)
  const redriven = yield* askHeldRedrives(lanes, state)
  if (redriven.length > 0) yield* journal.append({ redriven })
  redriving.update(state)
  const tell = (message: Message) => Queue.offer(inbox, message)
  // There may be nothing to feed: the pump is to see that.
  yield* tell({ _tag: "Look" })
  const none = { slots: new Map(), readers: new Map() }
  const pump = makePump({
    ...none,
    plan: { ...plan, sources: [] },
    journal,
    state,
    lanes,
    redriving,
    inbox,
    stop
  })
  const work = Effect.all([pump, ...[...lanes.values()].map((lane) => runLane(lane, tell, asked))], {
    concurrency: "unbounded",
    discard: true
  })
  yield* Effect.raceFirst(work, feedRedrives({ plan, fetch, redriving, tell }))
  yield* finish(lanes, state, journal)
})

/** A process died between the log and the rename: that comes first, because what is finished takes no record. */
const publishFinished = (
  plan: Plan,
  state: PipelineState,
  epoch: number,
  journal: Journal
): Effect.Effect<void, RunWorkerError> =>
  Effect.gen(function* () {
    const finished = unpublished(state).filter((stage) => own(state.run?.outputs, stage)?.finished === true)
    if (finished.length === 0) return
    const sinks = plan.sinks.filter(({ stage }) => finished.includes(stage))
    yield* publish(yield* openLanes({ ...plan, sinks }, state, epoch))
    yield* journal.append({ published: finished })
  }).pipe(Effect.scoped)

const finish = Effect.fnUntraced(function* (
  lanes: ReadonlyMap<string, Lane>,
  state: PipelineState,
  journal: Journal
): Effect.fn.Return<void, RunWorkerError> {
  // Cut off by a wish to stop, something may be owed to an output still: then it is not complete.
  const owed = (state.bench?.open ?? []).filter(isSealed).flatMap(owedBranches)
  const stages = unpublished(state).filter((stage) => lanes.has(stage) && !owed.includes(stage))
  if (stages.length === 0) return
  const finished: Array<{ readonly stage: string; readonly output: Receipt }> = []
  for (const stage of stages) {
    finished.push({ stage, output: yield* lanes.get(stage)!.writer.finish.pipe(atStage(stage)) })
  }
  yield* journal.append({ finished })
  yield* publish(new Map([...lanes].filter(([stage]) => stages.includes(stage))))
  yield* journal.append({ published: stages })
})

const unpublished = ({ bench }: PipelineState): ReadonlyArray<string> => bench?.unpublished ?? []
