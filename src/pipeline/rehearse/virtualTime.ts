/**
 * Time that passes only when nobody has anything to do: whoever sleeps is woken as soon as all others wait,
 * and the clock then shows the instant he was to be woken at. Randomness is seeded, so that what runs in it
 * does the same every time.
 *
 * Work that waits for the real world (a timer of its own, a socket) is not seen: a time-out around it may be
 * over at once.
 *
 * @module
 */
import { Clock, Duration, Effect, Random, Scheduler } from "effect"

/** Runs an effect in a time of its own, which begins at `at` (milliseconds since 1970). */
export const virtualTime =
  (at: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const tasks = new CountedTasks()
      return effect.pipe(
        Effect.provideService(Clock.Clock, new VirtualClock(at, tasks)),
        Effect.provideService(Scheduler.Scheduler, tasks),
        Random.withSeed("rehearsal")
      )
    })

/** Runs fibers as the scheduler of the runtime does, and knows how many of them are about to run. */
class CountedTasks implements Scheduler.Scheduler {
  readonly executionMode = "async"
  pending = 0
  /** Grows with every task: it is the same twice when nothing happened in between. */
  begun = 0
  readonly #scheduler = new Scheduler.MixedScheduler()

  shouldYield(fiber: Parameters<Scheduler.Scheduler["shouldYield"]>[0]): boolean {
    return this.#scheduler.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    const dispatcher = this.#scheduler.makeDispatcher()
    return {
      flush: () => dispatcher.flush(),
      scheduleTask: (task, priority) => {
        this.pending++
        dispatcher.scheduleTask(() => {
          this.pending--
          this.begun++
          task()
        }, priority)
      }
    }
  }
}

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

/** Turns of the event loop in which nothing may happen before time goes on: promises have had theirs by then. */
const quietTurns = 2

class VirtualClock implements Clock.Clock {
  #now: number
  #quiet = 0
  #begun = 0
  #looking = false
  readonly #tasks: CountedTasks
  readonly #sleepers = new Set<Sleeper>()
  readonly #turns = new Scheduler.MixedScheduler().makeDispatcher()

  constructor(at: number, tasks: CountedTasks) {
    this.#now = at
    this.#tasks = tasks
  }

  currentTimeMillisUnsafe(): number {
    return this.#now
  }
  readonly currentTimeMillis = Effect.sync(() => this.#now)
  currentTimeNanosUnsafe(): bigint {
    return BigInt(Math.round(this.#now * 1_000_000))
  }
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  monotonicTimeNanosUnsafe(): bigint {
    return this.currentTimeNanosUnsafe()
  }
  readonly monotonicTimeNanos = this.currentTimeNanos

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const ms = Duration.toMillis(duration)
    if (ms <= 0) return Effect.yieldNow
    if (!Number.isFinite(ms)) return Effect.never
    return Effect.callback((resume) => {
      const sleeper = { until: this.#now + ms, wake: () => resume(Effect.void) }
      this.#sleepers.add(sleeper)
      this.#look()
      return Effect.sync(() => {
        this.#sleepers.delete(sleeper)
      })
    })
  }

  #look(): void {
    if (this.#looking) return
    this.#looking = true
    this.#turns.scheduleTask(() => {
      this.#looking = false
      this.#turn()
    }, 0)
  }

  /** Wakes the first to be woken, one at a time, once everybody else has come to rest. */
  #turn(): void {
    const { begun, pending } = this.#tasks
    this.#quiet = pending === 0 && begun === this.#begun ? this.#quiet + 1 : 0
    this.#begun = begun
    const next = [...this.#sleepers].reduce<Sleeper | undefined>(
      (first, each) => (first === undefined || each.until < first.until ? each : first),
      undefined
    )
    if (next === undefined) return
    if (this.#quiet >= quietTurns) {
      this.#quiet = 0
      this.#sleepers.delete(next)
      this.#now = next.until
      next.wake()
    }
    this.#look()
  }
}
