/**
 * The memory of a run at work. Batches go through it one at a time, in the order in which they will be sealed,
 * and it moves on only with a batch that is told to the pump: one that is cut shorter leaves no trace.
 *
 * What a batch that is owed from before has left behind is in its first seal. It is routed again against the
 * memory it met then, and leaves that behind, whatever its records teach this time.
 *
 * @module
 */
import { Clock, Effect } from "effect"
import type { BatchMemory, StageDelta } from "../../../events/BatchMemory.ts"
import type { OpenBatch } from "../../../projections/OpenBatch.ts"
import { own } from "../../../projections/own.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import { empty } from "../../../projections/RunMemory.ts"
import type { Outcome } from "../Outcome.ts"
import type { PlannedSource } from "../Plan.ts"
import type { StageError } from "../StageError.ts"
import type { Arrival } from "../time/EventClock.ts"
import { asTakenFirst, rangesOf } from "./asTakenFirst.ts"
import { countAnew } from "./countAnew.ts"
import { type OwedFirst, owedFirst } from "./OwedFirst.ts"
import { overAt, type PlannedMemory } from "./PlannedMemory.ts"
import type { StageWithMemory } from "./StageWithMemory.ts"
import { withBranches, withMade } from "./withMade.ts"

/** What a first seal says that its batch leaves behind. */
export type Left = Omit<BatchMemory, "batch">

/** A batch as the memory sees it. */
export interface Visit {
  readonly of: PlannedSource
  /** The batch of the log that this is made for again; a new one has none. */
  readonly owed: OpenBatch | undefined
  /** The source has come to its end: this is a batch of no records, sealed only if something is made of it. */
  readonly isEnd: boolean
  /** The source stages that have come to their end with it. */
  readonly ended: ReadonlyArray<string>
  readonly route: Effect.Effect<Outcome, StageError>
  /** Where several sources are read as one: its records that have a time, in order. */
  readonly arrivals?: ReadonlyArray<Arrival> | undefined
}

export interface Visited {
  readonly outcome: Outcome
  /** Only of a new batch. */
  readonly left: Left | undefined
  /** The next batch finds what this one has left behind. */
  readonly keep: Effect.Effect<void>
}

export interface FlowMemory {
  /**
   * Runs the effect while no other batch is at hand, in the turn of an owed batch, or with `null` behind all of
   * them. In it a batch may `visit`, more than once, and is kept at most once.
   */
  readonly inTurn: <A, E, R>(batch: number | null, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly visit: (visit: Visit) => Effect.Effect<Visited, StageError>
  /** While the effect runs, the source is being asked for records: so long it may turn out to be idle. */
  readonly asking: <A, E, R>(source: string, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** `state` is that of the log when the run goes on. */
export const openMemory = Effect.fnUntraced(function* (
  planned: PlannedMemory,
  sources: ReadonlyArray<PlannedSource>,
  state: PipelineState
): Effect.fn.Return<FlowMemory> {
  const known = state.run?.memory ?? empty
  planned.clock.restore(known.time, yield* Clock.currentTimeMillis)
  for (const stage of planned.stages) stage.restore(own(known.stages, stage.name))
  const owed = yield* owedFirst(state.open.map(({ batch }) => batch))
  return new Opened(planned, sources, known.later, owed)
})

class Opened implements FlowMemory {
  readonly #planned: PlannedMemory
  readonly #sources: ReadonlyArray<PlannedSource>
  /** What sealed batches have left behind and the memory has not moved past yet. */
  #later: ReadonlyArray<BatchMemory>
  readonly #owed: OwedFirst
  readonly #asked = new Set<string>()

  constructor(
    planned: PlannedMemory,
    sources: ReadonlyArray<PlannedSource>,
    later: ReadonlyArray<BatchMemory>,
    owed: OwedFirst
  ) {
    this.#planned = planned
    this.#sources = sources
    this.#later = later
    this.#owed = owed
  }

  inTurn<A, E, R>(batch: number | null, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const alone = Effect.ensuring(
      effect,
      Effect.sync(() => this.#rest())
    )
    return this.#owed.inTurn(batch, this.#planned.oneAtATime.withPermits(1)(alone))
  }

  asking<A, E, R>(source: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.acquireUseRelease(
      Effect.sync(() => this.#asked.add(source)),
      () => effect,
      () => Effect.sync(() => this.#asked.delete(source))
    )
  }

  visit(visit: Visit): Effect.Effect<Visited, StageError> {
    return Effect.gen({ self: this }, function* () {
      const { of, owed } = visit
      const now = yield* Clock.currentTimeMillis
      this.#moveTo(owed?.batch ?? Number.POSITIVE_INFINITY, now)
      const left = owed === undefined ? undefined : this.#leftBy(owed.batch)
      this.#begin(visit, left, now)
      const routed = yield* visit.route
      const time = left === undefined ? this.#learnedTime(visit, now) : left.time
      const { memory, outcome } = yield* this.#goOn(routed, of, left, time)
      if (owed !== undefined) {
        return {
          outcome: withBranches(outcome, Object.keys(owed.branches)),
          left: undefined,
          keep: Effect.void
        }
      }
      const isSealed = !visit.isEnd || outcome.made !== undefined
      const keep = Effect.sync(() => {
        if (!isSealed) return this.#planned.clock.ended(of.stages, now)
        for (const stage of this.#planned.stages) {
          const delta = own(memory, stage.name)
          if (delta !== undefined) stage.keep(delta)
        }
        if (time !== undefined) this.#planned.clock.keep(time, of.stages, visit.ended, now)
      })
      return { outcome, left: leftOf(time, memory), keep }
    })
  }

  /** Stages whose windows are over make records, which may teach the stages behind them. */
  #goOn(routed: Outcome, of: PlannedSource, left: Left | undefined, time: Left["time"]) {
    return Effect.gen({ self: this }, function* () {
      const { takers } = this.#planned
      const over = overAt(time?.combined ?? this.#planned.clock.combined, this.#planned.latenessMs)
      const memory: Record<string, StageDelta> = {}
      let outcome = routed
      for (const stage of this.#planned.stages) {
        if (left !== undefined) outcome = this.#asFirst(outcome, of, stage.name, left)
        const delta = left === undefined ? this.#learned(stage, over, outcome) : own(left.memory, stage.name)
        if (delta === undefined) continue
        memory[stage.name] = delta
        const made = stage.made(delta)
        if (made.length === 0) continue
        const onward = yield* this.#planned.onward.get(stage.name)!(made)
        outcome = withMade(outcome, stage.name, made, onward)
      }
      const isAgain = left !== undefined && takers !== undefined
      return { memory, outcome: isAgain ? countAnew(outcome, takers.reaches) : outcome }
    })
  }

  /** What a stage has learned from a new batch; where another attempt may take other records in, with their names. */
  #learned(stage: StageWithMemory, over: number | null, { taken }: Outcome): StageDelta | undefined {
    const delta = stage.learned(over)
    if (this.#planned.takers?.reaches.has(stage.name) !== true) return delta
    const rows = rangesOf(own(taken, stage.name) ?? [])
    // A record between two windows is taken in, and adds nothing.
    return delta === undefined && rows.length === 0 ? undefined : { ...delta, rows }
  }

  /** Of a batch that is made again: the stage has taken in what its first seal says. */
  #asFirst(outcome: Outcome, { stages }: PlannedSource, stage: string, { memory }: Left): Outcome {
    const { takers } = this.#planned
    const reaches = takers?.reaches.get(stage)
    const delta = own(memory, stage)
    const first = delta === undefined ? [] : "keys" in delta ? undefined : delta.rows
    if (takers === undefined || reaches === undefined || first === undefined) return outcome
    const entries = (index: number): ReadonlyArray<string> =>
      index < 0 ? [outcome.made![-1 - index]!.stage] : stages
    return asTakenFirst(
      outcome,
      { stage, reaches, first },
      (index) => new Set(entries(index).flatMap((entry) => [...takers.straightFrom(entry)]))
    )
  }

  #begin({ arrivals, of }: Visit, recorded: Left | undefined, now: number): void {
    const { clock, latenessMs, stages } = this.#planned
    const members = of.stages
    for (const source of this.#sources) {
      const isSeveral = source === of && members.length > 1
      if (!this.#asked.has(source.stage) && !isSeveral) clock.busy(source.stages, now)
    }
    clock.begin(members, recorded?.time, now, arrivals)
    for (const stage of stages) stage.begin(overAt(clock.combined, latenessMs))
  }

  #learnedTime({ ended, of }: Visit, now: number): Left["time"] {
    const { clock } = this.#planned
    return clock.isTracking ? clock.learned(of.stages, ended, now) : undefined
  }

  /** Past all batches before this one, by what their seals say. */
  #moveTo(batch: number, now: number): void {
    for (const left of this.#later) {
      if (left.batch >= batch) break
      for (const stage of this.#planned.stages) {
        const delta = own(left.memory, stage.name)
        if (delta !== undefined) stage.keep(delta)
      }
      if (left.time !== undefined) this.#planned.clock.restore(left.time, now)
    }
    this.#later = this.#later.filter((left) => left.batch >= batch)
  }

  /** What the first seal of an owed batch says, which may be nothing. */
  #leftBy(batch: number): Left {
    return this.#later.find((left) => left.batch === batch) ?? {}
  }

  #rest(): void {
    for (const stage of this.#planned.stages) stage.rest()
    this.#planned.clock.rest()
  }
}

const leftOf = (time: Left["time"], memory: Readonly<Record<string, StageDelta>>): Left => ({
  ...(time === undefined ? {} : { time }),
  ...(Object.keys(memory).length === 0 ? {} : { memory })
})
