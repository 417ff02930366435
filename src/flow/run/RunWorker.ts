/**
 * A run at work: the life of its batches from reading to acknowledgement.
 *
 * Readers (one per source) and lanes (one per sink) do the waiting; the pump between them is the only
 * one that asks the journal for anything, so everything that waits goes into one append:
 *
 *     reader ── prepared ──▶ pump ── seal ──▶ journal ── sealed ──▶ lanes ── answered, confirmed ──▶ pump
 *                                    applied ──▶ journal ──▶ acknowledge to the source
 *
 * @module
 */
import { Deferred, Effect, Queue, type Schema, type Scope, Semaphore } from "effect"
import { own } from "../../../projections/own.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { SourceReader } from "../../drivers/Source.ts"
import { openMemory } from "../memory/FlowMemory.ts"
import type { Plan } from "../Plan.ts"
import { feedRedrives } from "../redrive/feedRedrives.ts"
import type { FetchLetter } from "../redrive/KeptLetter.ts"
import { Redriving } from "../redrive/Redriving.ts"
import { atStage, type StageError } from "../StageError.ts"
import type { Journal, JournalError } from "./Journal.ts"
import { runLane } from "./Lane.ts"
import { askHeld, askHeldRedrives, openLanes, publish } from "./lanes.ts"
import { makePump } from "./Pump.ts"
import type { Message } from "./PumpContext.ts"
import { runReader } from "./Reader.ts"
import type { PumpEnd, RunEnd } from "./RunEnd.ts"

export type RunWorkerError = StageError | JournalError

export interface RunWorker {
  readonly run: Effect.Effect<RunEnd, RunWorkerError, Scope.Scope>
  /** Drain: read no more, write what is sealed, confirm it, end with `Stopped`. */
  readonly stop: Effect.Effect<void>
  /** Makes durable now what is in flight, and resolves once that is in the log, or the run has come to its end. */
  readonly settle: Effect.Effect<void>
  /** The redrives that are asked for now: those it has the sinks for are worked on, in the order of the requests. */
  readonly redrive: (state: PipelineState) => Effect.Effect<void>
  /** How far the sources are, where they know; for progress bars, never for decisions. */
  readonly progress: () => ReadonlyArray<{ readonly stage: string } & ReturnType<SourceReader["progress"]>>
  /** The sinks that have been asked for something and have not answered yet. */
  readonly waitingFor: () => ReadonlyArray<string>
}

export interface RunWorkerOptions {
  readonly plan: Plan
  readonly journal: Journal
  /** The state of the log after this epoch's `RunStarted` or `ReplayStarted`. */
  readonly state: PipelineState
  readonly epoch: number
  readonly fetch: FetchLetter
}

/** What the worker is asked through while it runs. */
interface Inside {
  readonly stop: Deferred.Deferred<void>
  readonly readers: Map<string, SourceReader>
  readonly asked: Set<string>
  readonly inbox: Queue.Queue<Message>
  readonly redriving: Redriving
}

export const make = Effect.fnUntraced(function* (options: RunWorkerOptions): Effect.fn.Return<RunWorker> {
  const stop = yield* Deferred.make<void>()
  const readers = new Map<string, SourceReader>()
  const asked = new Set<string>()
  // Bounded by the slots: a reader tells one batch per slot, a lane a bounded number of facts per batch.
  const inbox = yield* Queue.unbounded<Message>()
  const over = yield* Deferred.make<void>()
  const sinks = options.plan.sinks.map(({ stage }) => stage)
  const redriving = new Redriving(options.state, sinks, options.plan.isSink, false)
  return {
    run: Effect.ensuring(
      run(options, { stop, readers, asked, inbox, redriving }),
      Deferred.succeed(over, undefined)
    ),
    redrive: (state) =>
      Effect.suspend(() => {
        const isNew = redriving.update(state)
        return isNew ? Effect.asVoid(Queue.offer(inbox, { _tag: "Look" })) : Effect.void
      }),
    settle: Effect.gen(function* () {
      const settled = yield* Deferred.make<void>()
      yield* Queue.offer(inbox, { _tag: "Settle", settled })
      yield* Effect.raceFirst(Deferred.await(settled), Deferred.await(over))
    }),
    stop: Effect.suspend(() => {
      redriving.stop()
      return Effect.asVoid(Deferred.succeed(stop, undefined))
    }),
    progress: () => [...readers].map(([stage, reader]) => ({ stage, ...reader.progress() })),
    waitingFor: () => [...asked]
  }
})

const run = Effect.fnUntraced(function* (
  { epoch, fetch, journal, plan, state: before }: RunWorkerOptions,
  { asked, inbox, readers, redriving, stop }: Inside
): Effect.fn.Return<RunEnd, RunWorkerError, Scope.Scope> {
  const lanes = yield* openLanes(plan, before, epoch)
  // C15: the finish is logged, so nothing is read or written any more; only the renames may be owed.
  if ([...lanes.keys()].some((stage) => own(before.run?.outputs, stage)?.finished === true)) {
    yield* publish(lanes)
    return { _tag: "Finished" }
  }
  const held = yield* askHeld(lanes, before)
  const redriven = yield* askHeldRedrives(lanes, before)
  const isNew = held.length + redriven.length > 0
  const state = isNew ? yield* journal.append({ applied: held, redriven }) : before
  redriving.update(state)

  const tell = (message: Message) => Queue.offer(inbox, message)
  const slots = new Map<string, Semaphore.Semaphore>()
  for (const { stage } of plan.sources) slots.set(stage, yield* Semaphore.make(plan.runtime.inFlight))
  const memory = plan.memory && (yield* openMemory(plan.memory, plan.sources, state))
  const pump = makePump({ plan, journal, state, lanes, slots, readers, redriving, inbox, stop })

  const work = Effect.all(
    [
      pump,
      ...plan.sources.map((source) =>
        runReader(source, {
          plan,
          state,
          slots: slots.get(source.stage)!,
          stop,
          tell,
          opened: (reader) => readers.set(source.stage, reader),
          memory
        })
      ),
      ...[...lanes.values()].map((lane) => runLane(lane, tell, asked))
    ] as [Effect.Effect<PumpEnd, RunWorkerError>, ...Array<Effect.Effect<void, RunWorkerError, Scope.Scope>>],
    { concurrency: "unbounded" }
  )
  const [end] = yield* Effect.raceFirst(work, feedRedrives({ plan, fetch, redriving, tell }))
  if (end._tag === "Drained") return end.end
  const finished: Array<{ stage: string; output: Schema.Json }> = []
  for (const { stage, writer } of lanes.values()) {
    finished.push({ stage, output: yield* writer.finish.pipe(atStage(stage)) })
  }
  yield* journal.append({ finished })
  yield* publish(lanes)
  return { _tag: "Finished" }
})
