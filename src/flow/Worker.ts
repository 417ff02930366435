/**
 * The work of a custom stage, as a program writes it: something that is opened, is given one batch after the
 * other, and is closed. A test can drive it by hand:
 *
 *     const worker = Worker.guard(mine)
 *     yield* worker.open
 *     const batch = Batch.make([{ n: 1 }, { n: 2 }])
 *     yield* worker.do(batch)
 *     batch.outcomes
 *
 * @module
 */
import { Duration, Effect, Schedule, Semaphore } from "effect"
import type { Batch } from "./Batch.ts"

/** Makes records of type `B` of records of type `A`; `R` is what it needs from the program's environment. */
export interface Worker<in out A, in out B = A, out R = never> {
  /** Once before the first batch. */
  readonly open: Effect.Effect<void, unknown, R>
  /**
   * Marks the records of a batch; what it leaves alone goes on as it is. To fail is to fail for every record
   * that is not marked: `Pipeline.retry` asks for them again, a `DriverError` has the whole batch repeated
   * and then stops the run, anything else is the reason of their dead letters. A defect ends the run.
   */
  readonly do: (batch: Batch<A, B>) => Effect.Effect<void, unknown, R>
  /** No batch will follow. It is not called while one is at work. */
  readonly stop: Effect.Effect<void, unknown, R>
  /** Lets go of what was opened. Called again when it fails, so it must bear being called twice. */
  readonly close: Effect.Effect<void, unknown, R>
}

/** A worker of its one necessary part; what is left out does nothing. */
const make = <A, B = A, R = never>(
  parts: Pick<Worker<A, B, R>, "do"> & Partial<Worker<A, B, R>>
): Worker<A, B, R> => ({ open: Effect.void, stop: Effect.void, close: Effect.void, ...parts })

/** A close that fails is called again: after 250 ms, doubling, five times. */
const closing = Schedule.exponential(Duration.millis(250)).pipe(Schedule.upTo({ times: 5 }))

/**
 * One life of a worker, with the order the engine keeps: opened once, one batch at a time, stopped when the
 * batch at work is done, closed once however often it is asked to. A batch before `open` or behind `stop` is
 * a defect. A worker that is opened again needs a new life.
 */
const guard = <A, B, R>(worker: Worker<A, B, R>): Worker<A, B, R> => {
  const oneAtATime = Semaphore.makeUnsafe(1)
  let phase: "new" | "open" | "stopped" | "closed" = "new"
  let touched = false
  const inTurn = <E>(effect: () => Effect.Effect<void, E, R>) =>
    oneAtATime.withPermits(1)(Effect.suspend(effect))
  const goes = (to: typeof phase) =>
    Effect.sync(() => {
      phase = to
    })
  const stop = inTurn(() => (phase === "open" ? Effect.andThen(goes("stopped"), worker.stop) : Effect.void))
  return {
    open: inTurn(() => {
      if (phase !== "new") return Effect.void
      touched = true
      return Effect.andThen(worker.open, goes("open"))
    }),
    do: (batch) =>
      inTurn(() =>
        phase === "open"
          ? worker.do(batch)
          : Effect.die(new Error(`a worker that is ${phase} was given a batch`))
      ),
    stop,
    close: Effect.andThen(
      Effect.ignore(stop),
      inTurn(() => {
        if (phase === "closed") return Effect.void
        return Effect.andThen(touched ? Effect.retry(worker.close, closing) : Effect.void, goes("closed"))
      })
    )
  }
}

export const Worker = { make, guard }
