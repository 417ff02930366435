/**
 * Group commit: the appends of many callers share the cost of one durable transaction.
 *
 * Callers wait in a bounded queue; one writer fiber takes whatever waits and hands it to the store.
 * There are no timers: an append that comes alone is committed alone and at once, and while one group
 * is being committed the next one gathers.
 *
 * @module
 */
import { type Cause, Deferred, Effect, Exit, Fiber, Queue, type Scope } from "effect"
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
  const takeGroup = makeTakeGroup(queue, options)

  const writeGroup = Effect.gen(function* () {
    const group = yield* takeGroup
    const exit = yield* Effect.exit(Effect.suspend(() => commit(group.map(({ append }) => append))))
    const results = Exit.isSuccess(exit) ? exit.value : group.map((): Appended => Exit.failCause(exit.cause))
    group.forEach((waiting, index) => {
      Deferred.doneUnsafe(waiting.reply, results[index] ?? unanswered)
    })
  })

  // Uninterruptible: a group that was taken is committed and answered, whatever happens around it.
  const writer = yield* Effect.forever(writeGroup).pipe(
    Effect.catchTag("Done", () => Effect.void),
    Effect.uninterruptible,
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() => Queue.end(queue).pipe(Effect.andThen(Fiber.await(writer))))

  return (append) =>
    Effect.uninterruptible(
      Effect.suspend(() => {
        const reply = Deferred.makeUnsafe<Head, AppendError>()
        return Effect.flatMap(Queue.offer(queue, { append, reply }), (accepted) =>
          accepted ? Deferred.await(reply) : Effect.fail(closed)
        )
      })
    )
})

/**
 * Takes what waits, up to the bounds, with at most one append per stream. The others are held for the
 * next group, in order; at most `maxAppends` are held.
 */
const makeTakeGroup = (
  queue: Queue.Dequeue<Waiting, Cause.Done>,
  { maxAppends = 256, maxEvents = 10_000 }: GroupCommitOptions
): Effect.Effect<ReadonlyArray<Waiting>, Cause.Done> => {
  let held: ReadonlyArray<Waiting> = []
  return Effect.gen(function* () {
    const waiting =
      held.length === 0
        ? yield* Queue.takeBetween(queue, 1, maxAppends)
        : [...held, ...takeAvailable(queue, maxAppends - held.length)]
    const group: Array<Waiting> = []
    const streams = new Set<string>()
    let events = 0
    held = waiting.filter((one) => {
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
  })
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
