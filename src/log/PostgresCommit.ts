/**
 * Commits a group of appends: asks who may write, writes them in one statement, and finds out what became
 * of those that got no answer.
 *
 * @module
 */
import { Effect, Exit, Result } from "effect"
import { type Append, type Appended, duplicateId } from "./Append.ts"
import { LogError } from "./EventLog.ts"
import { type Candidate, makeAppendCalls } from "./PostgresAppend.ts"
import {
  isDuplicate,
  isRefusedData,
  type PostgresFailure,
  toLogError,
  unavailable,
  unusable
} from "./PostgresFailure.ts"
import type { Heads } from "./PostgresHeads.ts"
import type { Line } from "./PostgresLine.ts"
import { endBackend } from "./PostgresOwner.ts"
import { machineMillis, pause } from "./PostgresSession.ts"

export interface CommitOptions {
  readonly schema: string
  /** For appends and nothing else. */
  readonly line: Line
  readonly heads: Heads
  /** Given as `pg_stat_activity` shows our sessions. */
  readonly name: string
  /** How long (milliseconds) an append without an answer is looked for. */
  readonly settleMs: number
  readonly onCommitted: (position: number) => Effect.Effect<void>
}

/** A head may be moved by another owner between our look and our statement; then we look again. */
const roundsMost = 3

interface Member extends Candidate {
  readonly index: number
}

export const makeCommit = (options: CommitOptions) => {
  const { heads, line, name, onCommitted, schema, settleMs } = options
  const callFor = makeAppendCalls(schema)

  /** Answers what can be answered without writing; the rest may be written. */
  const admitAll = Effect.fnUntraced(function* (
    members: ReadonlyArray<{ readonly append: Append; readonly index: number }>,
    fresh: boolean,
    results: Array<Appended>
  ) {
    const decisions = yield* heads.decide(
      members.map(({ append }) => append),
      { fresh }
    )
    return members.flatMap(({ append, index }, i): ReadonlyArray<Member> => {
      const decision = decisions[i]!
      if (decision._tag === "Write" && append.events.length > 0)
        return [{ append, index, head: decision.head }]
      results[index] = decision._tag === "Write" ? Exit.succeed(decision.head) : exitOf(decision.answer)
      return []
    })
  })

  /** Writes them together; answers those whose head was another. */
  const write: (
    members: ReadonlyArray<Member>,
    results: Array<Appended>
  ) => Effect.Effect<ReadonlyArray<Member>> = Effect.fnUntraced(function* (members, results) {
    const { next, parameters, sql } = callFor(members)
    const session = yield* Effect.result(line.session)
    const answer = Result.isFailure(session)
      ? Result.fail(session.failure)
      : yield* Effect.result(session.success.query(sql, parameters))
    if (Result.isSuccess(answer)) {
      const moved = new Set<number>()
      for (const row of answer.success) {
        const i = (row[0] as number) - 1
        moved.add(i)
        heads.remember(next[i]!)
        results[members[i]!.index] = Exit.succeed(next[i]!)
      }
      const last = answer.success.at(-1)
      if (last !== undefined) yield* onCommitted(last[1] as number)
      return members.filter((_, i) => !moved.has(i))
    }
    const { failure } = answer
    if (failure.isAmbiguous && Result.isSuccess(session)) {
      yield* settle(members, session.success.backend, results)
      return []
    }
    // The server does not say whose data it was: one after the other, everybody answers for himself.
    if (isRefusedData(failure) && members.length > 1) {
      const again = yield* Effect.forEach(members, (member) => write([member], results))
      return again.flat()
    }
    for (const { append, index } of members) results[index] = Exit.fail(refusalOf(append, failure))
    return []
  })

  /**
   * What became of appends that were sent and not answered: the session that may still be at it is ended,
   * then the rows say. Nothing is written again; who is told `Unavailable` may repeat with the same ids.
   */
  const settle = Effect.fnUntraced(function* (
    members: ReadonlyArray<Member>,
    backend: number,
    results: Array<Appended>
  ) {
    const look = Effect.gen(function* () {
      yield* endBackend(line, backend, name)
      return yield* admitAll(members, true, results)
    })
    const missing = yield* Effect.result(tryUntil(machineMillis() + settleMs, look))
    const unwritten = Result.isSuccess(missing) ? missing.success : members
    const reason = unavailable(
      Result.isSuccess(missing)
        ? "The connection to Postgres was lost. Nothing was written."
        : `${messageOf(missing.failure)} It is not known whether the events were written; repeat with the same ids.`
    )
    for (const { index } of unwritten)
      results[index] = Exit.fail(new LogError({ operation: "append", reason }))
  })

  return Effect.fnUntraced(function* (group: ReadonlyArray<Append>) {
    const results = new Array<Appended>(group.length)
    let open: ReadonlyArray<{ readonly append: Append; readonly index: number }> = group.map(
      (append, index) => ({ append, index })
    )
    for (let round = 0; round < roundsMost && open.length > 0; round++) {
      const writable = yield* admitAll(open, round > 0, results).pipe(Effect.mapError(toLogError("append")))
      open = writable.length === 0 ? [] : yield* write(writable, results)
    }
    for (const { append, index } of open) results[index] = Exit.fail(contended(append))
    return results
  })
}

const tryUntil = <A>(
  end: number,
  look: Effect.Effect<A, PostgresFailure>
): Effect.Effect<A, PostgresFailure> =>
  Effect.catch(look, (failure) =>
    machineMillis() < end ? Effect.andThen(pause(100), tryUntil(end, look)) : Effect.fail(failure)
  )

const exitOf = <A, E>(result: Result.Result<A, E>): Exit.Exit<A, E> =>
  Result.isSuccess(result) ? Exit.succeed(result.success) : Exit.fail(result.failure)

const messageOf = ({ reason }: PostgresFailure): string => ("message" in reason ? reason.message : "")

const refusalOf = (append: Append, failure: PostgresFailure): LogError => {
  if (isDuplicate(failure)) return duplicateId(append)
  if (!isRefusedData(failure)) return toLogError("append")(failure)
  const message = `Events for ${append.stream} cannot be stored. ${messageOf(failure)}`
  return new LogError({ operation: "append", reason: unusable(message) })
}

const contended = ({ stream }: Append): LogError =>
  new LogError({
    operation: "append",
    reason: unavailable(`The head of ${stream} keeps changing under another writer. Nothing was written.`)
  })
