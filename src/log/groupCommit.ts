/**
 * Group commit: the appends of many callers share the cost of one durable transaction.
 *
 * A caller that finds nobody else commits by itself, in its own fiber: it waits for the store and for
 * nothing else. Otherwise callers wait in a bounded queue, and one writer fiber takes whatever waits and
 * hands it to the store. There are no timers: while one group is being committed the next one gathers.
 *
 * @module
 */
import { type Cause, Deferred, Effect, Exit, Fiber, Queue, type Scope, Semaphore } from "effect"
import type { Append, AppendError, Appended } from "./Append.ts"
import { type Head, LogError } from "./EventLog.ts"

export interface GroupCommitOptions {
  /**
   * Writes a group in one transaction and answers each append in its own place; a refused one drops out
   * alone. No two appends of a group have the same stream. A failure or defect is every member's answer.
   */
  readonly commit: (group: ReadonlyArray<Append>) => Effect.Effect<ReadonlyArray<Appended>, LogError>
  /** Appends that may wait before further callers do; 4096. */
  readonly capacity?: number | undefined
  /** Appends of one group; 256. */
  readonly maxAppends?: number | undefined
  /** Events of one group, unless its first append alone has more; 10,000. */
  readonly maxEvents?: number | undefined
}

interface Waiting {
  readonly append: Append
  readonly reply: Deferred.Deferred<Head, AppendError>
}

/**
 * Starts the writer in the current scope and answers `append`, which is uninterruptible and always
 * ends. When the scope closes, what waits is still written; later appends fail with `Unavailable`.
 */
export const groupCommit = Effect.fnUntraced(function* (
  options: GroupCommitOptions
): Effect.fn.Return<(append: Append) => Effect.Effect<Head, AppendError>, never, Scope.Scope> {
  const { capacity = 4096, commit } = options
  const queue = yield* Queue.bounded<Waiting, Cause.Done>(capacity)
  const gathering = makeGathering(queue, options)
  // One commit at a time, whoever makes it.
  const turn = yield* Semaphore.make(1)
  // Whom a caller would overtake if it committed by itself: everybody on the way to the store.
  let waiting = 0
  // Where callers come in company, the one that is first again waits for the others to share its commit.
  let lastGroup = 1

  const writeGroup = Effect.gen(function* () {
    const group = gathering.takeGroup()
    const exit = yield* Effect.exit(Effect.suspend(() => commit(group.map(({ append }) => append))))
    waiting -= group.length
    lastGroup = group.length
    return { group, exit }
  })
  /** The turn is free again by then: who continues at once, inside of this, may commit by itself. */
  const answer = ({ exit, group }: Effect.Success<typeof writeGroup>) =>
    Effect.sync(() => {
      group.forEach(({ reply }, index) => {
        Deferred.doneUnsafe(reply, answerOf(exit, index))
      })
    })

  // Uninterruptible: a group that was taken is committed and answered, whatever happens around it.
  const writer = yield* gathering.somebodyWaits.pipe(
    Effect.andThen(turn.withPermit(writeGroup)),
    Effect.flatMap(answer),
    Effect.forever,
    Effect.catchTag("Done", () => Effect.void),
    Effect.uninterruptible,
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() =>
    Queue.end(queue).pipe(
      Effect.andThen(Fiber.await(writer)),
      // A caller that commits by itself is waited for like the writer; nobody has a turn after it.
      Effect.andThen(turn.take(1))
    )
  )

  const commitAlone = (append: Append) =>
    Effect.flatMap(Effect.exit(Effect.suspend(() => commit([append]))), (exit) =>
      Effect.andThen(turn.release(1), answerOf(exit, 0))
    )
  const enqueue = (append: Append) =>
    Effect.suspend(() => {
      const reply = Deferred.makeUnsafe<Head, AppendError>()
      waiting += 1
      return Effect.flatMap(Queue.offer(queue, { append, reply }), (accepted) => {
        if (accepted) return Deferred.await(reply)
        waiting -= 1
        return Effect.fail(closed)
      })
    })

  return (append) =>
    Effect.uninterruptible(
      Effect.suspend(() =>
        waiting > 0 || lastGroup > 1
          ? enqueue(append)
          : Effect.flatMap(turn.takeIfAvailable(1), (isMine) =>
              isMine ? commitAlone(append) : enqueue(append)
            )
      )
    )
})

/** What the store's answer to a group is for one of its members. */
const answerOf = (exit: Exit.Exit<ReadonlyArray<Appended>, LogError>, index: number): Appended =>
  Exit.isSuccess(exit) ? (exit.value[index] ?? unanswered) : Exit.failCause(exit.cause)

/**
 * Takes what waits, up to the bounds, with at most one append per stream. The others are held for the
 * next group, in order; at most `maxAppends` are held.
 */
const makeGathering = (
  queue: Queue.Dequeue<Waiting, Cause.Done>,
  { maxAppends = 256, maxEvents = 10_000 }: GroupCommitOptions
) => {
  let held: ReadonlyArray<Waiting> = []
  return {
    /** Afterwards a group has at least one append. Fails with `Done` when the last one was taken. */
    somebodyWaits: Effect.suspend(() =>
      held.length > 0
        ? Effect.void
        : Effect.map(Queue.takeBetween(queue, 1, maxAppends), (taken) => {
            held = taken
          })
    ),
    takeGroup: (): ReadonlyArray<Waiting> => {
      const group: Array<Waiting> = []
      const streams = new Set<string>()
      let events = 0
      held = [...held, ...takeAvailable(queue, maxAppends - held.length)].filter((one) => {
        const { append } = one
        const fits = group.length === 0 || events + append.events.length <= maxEvents
        const taken = fits && !streams.has(append.stream)
        // Also when it did not fit: a later append of that stream must not overtake it.
        streams.add(append.stream)
        if (!taken) return true
        group.push(one)
        events += append.events.length
        return false
      })
      return group
    }
  }
}

const takeAvailable = (queue: Queue.Dequeue<Waiting, Cause.Done>, limit: number): ReadonlyArray<Waiting> => {
  const taken: Array<Waiting> = []
  while (taken.length < limit) {
    const exit = Queue.takeUnsafe(queue)
    if (exit === undefined || Exit.isFailure(exit)) break
    taken.push(exit.value)
  }
  return taken
}

const closed = new LogError({
  operation: "append",
  reason: { _tag: "Unavailable", message: "The log is closed." }
})

const unanswered = Exit.die(new Error("The store answered fewer appends than it was given."))
