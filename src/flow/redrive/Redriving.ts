/**
 * The redrives of a worker: which are to be fed to its pump, and which the pump is writing.
 *
 * @module
 */
import { Deferred, Effect, Queue } from "effect"
import * as Bench from "../../../projections/Bench.ts"
import { isSealed, type OpenRedrive, owedBranches } from "../../../projections/OpenRedrive.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { Receipt, SinkBatch } from "../../drivers/Sink.ts"
import type { RedriveSeal } from "../run/Journal.ts"
import type { Lane, RedriveName } from "../run/Lane.ts"
import {
  beginRedrive,
  type Redriven,
  type RedriveWriting,
  redriveBatch,
  refuseRedrive,
  sealOfRedrive
} from "./RedriveWriting.ts"

/** A sink's refusal of what it was given under the key of a redrive. */
export interface RedriveRefused {
  readonly stage: string
  readonly redrive: RedriveName
  readonly refused: ReadonlyArray<{ readonly index: number; readonly message: string }>
  readonly again: Deferred.Deferred<SinkBatch>
}

/** What the lane that waits is to try instead. */
interface RedriveAgain {
  readonly lane: Deferred.Deferred<SinkBatch>
  readonly batch: SinkBatch
}

export class Redriving {
  /** Sinks this worker has; a redrive that is owed to another one waits for a worker that has it. */
  readonly sinks: ReadonlySet<string>
  /** Nothing but redrives is to be done: the worker ends when they are. */
  readonly isSession: boolean
  #state: PipelineState
  readonly #isSink: (stage: string) => boolean
  /** Taken up, by letter and ordinal: fed at most once in the life of a worker. */
  readonly #known = new Set<string>()
  #queue: Array<OpenRedrive> = []
  #revision: number | undefined
  #feeding = 0
  #arrived = Deferred.makeUnsafe<void>()
  readonly #writing = new Map<string, RedriveWriting>()

  /** `isSink` says whether the definition in force has a sink of this name at all. */
  constructor(
    state: PipelineState,
    sinks: Iterable<string>,
    isSink: (stage: string) => boolean,
    isSession: boolean
  ) {
    this.sinks = new Set(sinks)
    this.#isSink = isSink
    this.isSession = isSession
    this.#state = state
    this.update(state)
  }

  /** What has been requested since is taken up, and what was taken back is not fed; `false` when there is nothing new. */
  update(state: PipelineState): boolean {
    this.#state = state
    if (state.bench?.revision === this.#revision) return false
    this.#revision = state.bench?.revision
    this.#queue = this.#queue.filter(({ letter, n }) => Bench.openRedrive(state.bench, letter)?.n === n)
    for (const redrive of state.bench?.open ?? []) {
      if (this.#known.has(nameOf(redrive)) || !this.#hasSinksOf(redrive)) continue
      this.#known.add(nameOf(redrive))
      this.#queue.push(redrive)
    }
    if (this.#queue.length > 0) Deferred.doneUnsafe(this.#arrived, Effect.void)
    return true
  }

  /** Nothing new is begun. */
  stop(): void {
    this.#queue = this.#queue.filter(isSealed)
  }

  /** The next one to be fed, waited for; as the log has it now. One that was taken back meanwhile is passed over. */
  get next(): Effect.Effect<OpenRedrive> {
    return Effect.suspend(() => {
      for (let first = this.#queue.shift(); first !== undefined; first = this.#queue.shift()) {
        const open = Bench.openRedrive(this.#state.bench, first.letter)
        if (open?.n !== first.n || owedBranches(open).length === 0) continue
        this.#feeding++
        return Effect.succeed(open)
      }
      this.#arrived = Deferred.makeUnsafe<void>()
      return Effect.andThen(Deferred.await(this.#arrived), this.next)
    })
  }

  /** What was taken by `next` has been told to the pump, or not at all. */
  fed(): void {
    this.#feeding--
  }

  /** Something is being written, or in a session: is still to be. */
  get isBusy(): boolean {
    if (this.#writing.size > 0) return true
    return this.isSession && (this.#feeding > 0 || this.#queue.length > 0)
  }

  begin(redriven: Redriven): RedriveWriting {
    const writing = beginRedrive(redriven)
    this.#writing.set(nameOf(redriven.redrive), writing)
    return writing
  }

  /** Seals what begins, and anew what a sink has refused: then the lane that waits gets what is left of it. */
  seals(
    begun: ReadonlyArray<RedriveWriting>,
    refusals: ReadonlyArray<RedriveRefused>,
    bases: ReadonlyMap<string, Receipt>,
    pipeline: string
  ): { readonly seals: ReadonlyArray<RedriveSeal>; readonly again: ReadonlyArray<RedriveAgain> } {
    const seals = begun.map((writing) => sealOfRedrive(writing, [...writing.waiting], bases))
    const again: Array<RedriveAgain> = []
    // Each at once: another sink may refuse the same record, and its attempt is the next one.
    for (const { again: lane, redrive, refused, stage } of refusals) {
      const writing = this.#writing.get(nameOf(redrive))
      if (writing === undefined) continue
      refuseRedrive(writing, stage, refused)
      seals.push(sealOfRedrive(writing, [stage], bases))
      again.push({ lane, batch: redriveBatch(writing, pipeline, stage) })
    }
    return { seals, again }
  }

  /** Sealed, so it may be written; what is not in the log was taken back before, and is not. */
  handOn(
    begun: ReadonlyArray<RedriveWriting>,
    again: ReadonlyArray<RedriveAgain>,
    state: PipelineState,
    lanes: ReadonlyMap<string, Lane>
  ): Effect.Effect<void> {
    this.#state = state
    return Effect.gen({ self: this }, function* () {
      for (const writing of begun) {
        const isLogged = this.#isLogged(writing)
        for (const stage of [...writing.waiting]) {
          const batch = redriveBatch(writing, state.id, stage)
          // A first attempt with nothing for a branch was settled by its seal.
          if (!isLogged || (batch.records.length === 0 && writing.attempt === 1))
            writing.waiting.delete(stage)
          else {
            const { readAt, redrive } = writing
            const job = {
              _tag: "Write",
              batch,
              readAt,
              redrive: { letter: redrive.letter, n: redrive.n }
            } as const
            yield* Queue.offer(lanes.get(stage)!.jobs, job)
          }
        }
        this.#leaveIfWritten(writing)
      }
      // One that was discarded meanwhile is not sealed any more: what is left of a refusal is nothing to write.
      for (const { batch, lane } of again) yield* Deferred.succeed(lane, batch)
    })
  }

  answered(name: RedriveName, stage: string): void {
    const writing = this.#writing.get(nameOf(name))
    writing?.waiting.delete(stage)
    if (writing !== undefined) this.#leaveIfWritten(writing)
  }

  #leaveIfWritten(writing: RedriveWriting): void {
    if (writing.waiting.size === 0) this.#writing.delete(nameOf(writing.redrive))
  }

  /** Discarded or withdrawn before its seal, or settled by it: the latter had nothing to write anyway. */
  #isLogged({ attempt, redrive }: RedriveWriting): boolean {
    const open = Bench.openRedrive(this.#state.bench, redrive.letter)
    return open?.n === redrive.n && open.attempts[attempt] !== undefined && isSealed(open)
  }

  /** For a sink that is nowhere any more nobody need wait: the letter is nacked with that. */
  #hasSinksOf(redrive: OpenRedrive): boolean {
    return owedBranches(redrive).every((stage) => this.sinks.has(stage) || !this.#isSink(stage))
  }
}

const nameOf = ({ letter, n }: RedriveName): string => `${letter}/${n}`
