/**
 * Event time while a run is at work: judges records against the watermarks as they come.
 *
 * While a batch is judged, the watermarks of the sources that take no part in it and who of them is idle stay as
 * they were when it began; only its own records bring event time on, one after the other in the order of the
 * batch. What the seal keeps of that is enough to judge the batch again in the same way.
 *
 * @module
 */
import type { SealedTime } from "../../../events/BatchMemory.ts"
import { own } from "../../../projections/own.ts"
import * as Tracker from "./WatermarkTracker.ts"

/** A batch that is being judged. */
interface Judging {
  /** `endOfTime` where a source has ended; sources that have given nothing are not in it. */
  readonly marks: Readonly<Record<string, number>>
  readonly idle: ReadonlyArray<string>
  /** How far its own records have come, by source. */
  readonly reached: Map<string, number>
  /** What the others let its sources come to. */
  readonly limits: Map<string, number | null>
  /** Of sources that are read as one: the combined watermark behind each of a source's records, first to last. */
  readonly answers: ReadonlyMap<string, Answers> | undefined
}

interface Answers {
  readonly marks: Array<number | null>
  next: number
}

/** A record of a batch that several sources have part in. */
export interface Arrival {
  readonly source: string
  readonly timeMs: number
}

export class EventClock {
  readonly #sources: ReadonlyArray<Tracker.TrackedSource>
  #tracker: Tracker.WatermarkTracker = Tracker.make([], 0)
  #judging: Judging | undefined

  constructor(sources: ReadonlyArray<Tracker.TrackedSource>) {
    this.#sources = sources
  }

  /** Has any source event time? */
  get isTracking(): boolean {
    return this.#sources.length > 0
  }

  /** As the last seal left it. */
  get combined(): number | null {
    return this.#tracker.settled
  }

  restore(time: SealedTime | null, nowMs: number): void {
    this.#tracker = Tracker.restore(this.#sources, time, nowMs)
  }

  /** These sources are not being asked for records, so they are not idle. */
  busy(sources: Iterable<string>, nowMs: number): void {
    for (const source of sources) this.#tracker = Tracker.busy(this.#tracker, source, nowMs)
  }

  /**
   * A batch of these sources begins. With `recorded`, what its seal said about the others: they may have ended
   * or gone to sleep between two batches. `arrivals` are its records in order, where there are several sources:
   * stages see those of one source after those of another, event time does not.
   */
  begin(
    members: ReadonlyArray<string>,
    recorded: SealedTime | undefined,
    nowMs: number,
    arrivals: ReadonlyArray<Arrival> = []
  ): void {
    const before = Tracker.sealed(this.#tracker, nowMs)
    const others = recorded?.watermarks ?? before.watermarks
    const marks = { ...others }
    for (const member of members) {
      const mark = own(before.watermarks, member)
      if (mark === undefined) delete marks[member]
      else marks[member] = mark
    }
    const idle = recorded?.idle ?? before.idle
    const judging = { marks, idle, reached: new Map(), limits: new Map() }
    const answers = members.length > 1 ? this.#answersFor(judging, arrivals) : undefined
    this.#judging = { ...judging, answers }
  }

  /** The combined watermark behind a record of that source and time. */
  judge(source: string, timeMs: number): number | null {
    const judging = this.#judging
    if (judging === undefined) return null
    const { reached } = judging
    const before = reached.get(source) ?? this.#markOf(judging, source)
    const mark = before === undefined || before < timeMs ? timeMs : before
    reached.set(source, mark)
    const answers = judging.answers?.get(source)
    if (answers !== undefined) return answers.marks[answers.next++] ?? null
    let limit = judging.limits.get(source)
    if (limit === undefined) {
      limit = this.#limitOf(judging, source)
      judging.limits.set(source, limit)
    }
    const settled = this.#tracker.settled
    if (limit === null) return settled
    const least = Math.min(mark, limit)
    return settled === null || settled < least ? least : settled
  }

  /** Event time behind a batch of these sources, of which some have come to their end with it. */
  learned(members: ReadonlyArray<string>, ended: ReadonlyArray<string>, nowMs: number): SealedTime {
    return Tracker.sealed(this.#behind(members, ended, nowMs), nowMs)
  }

  keep(time: SealedTime, members: ReadonlyArray<string>, ended: ReadonlyArray<string>, nowMs: number): void {
    this.#tracker = { ...this.#behind(members, ended, nowMs), settled: time.combined }
    this.rest()
  }

  /**
   * These sources have come to their end, and no seal says so yet: what follows from it becomes true with the next
   * one, so that whoever judges by seals alone comes to the same.
   */
  ended(members: ReadonlyArray<string>, nowMs: number): void {
    const { settled } = this.#tracker
    this.#tracker = { ...this.#behind(members, members, nowMs), settled }
    this.rest()
  }

  rest(): void {
    this.#judging = undefined
  }

  #behind(
    members: ReadonlyArray<string>,
    ended: ReadonlyArray<string>,
    nowMs: number
  ): Tracker.WatermarkTracker {
    const reached = this.#judging?.reached ?? new Map<string, number>()
    let tracker = this.#tracker
    // Who has given records now was not idle, however long it took.
    const awake = members.length === 1 ? members : [...reached.keys()]
    for (const source of awake) tracker = Tracker.busy(tracker, source, nowMs)
    for (const [source, mark] of reached) tracker = Tracker.update(tracker, source, mark, nowMs)
    for (const source of ended) tracker = Tracker.ended(tracker, source, nowMs)
    return tracker
  }

  /**
   * Each record brings its source on, and what all of them let event time come to is what the next one meets. Who
   * gives a record here is awake from the first one on, because that is what the seal will say of it.
   */
  #answersFor(
    { idle, marks }: Pick<Judging, "idle" | "marks">,
    arrivals: ReadonlyArray<Arrival>
  ): ReadonlyMap<string, Answers> {
    const answers = new Map<string, Answers>()
    const awake = new Set(arrivals.map(({ source }) => source))
    const now = { marks: { ...marks }, idle: idle.filter((source) => !awake.has(source)) }
    let settled = this.#tracker.settled
    for (const { source, timeMs } of arrivals) {
      const before = this.#markOf(now, source)
      const mark = before === undefined || before < timeMs ? timeMs : before
      now.marks[source] = mark
      const limit = this.#limitOf(now, source)
      const least = limit === null ? null : Math.min(mark, limit)
      if (least !== null && (settled === null || settled < least)) settled = least
      const own = answers.get(source) ?? { marks: [], next: 0 }
      own.marks.push(settled)
      answers.set(source, own)
    }
    return answers
  }

  #markOf({ marks }: Pick<Judging, "marks">, source: string): number | undefined {
    const mark = own(marks, source)
    return mark === Tracker.endOfTime ? undefined : mark
  }

  /** The least of the others that are awake; `null` where one of them has given nothing yet. */
  #limitOf({ idle, marks }: Pick<Judging, "idle" | "marks">, source: string): number | null {
    let least = Number.POSITIVE_INFINITY
    for (const { source: other } of this.#sources) {
      if (other === source || idle.includes(other)) continue
      const mark = own(marks, other)
      if (mark === undefined) return null
      least = Math.min(least, mark)
    }
    return least
  }
}
