/**
 * Commits a group of appends: asks who may write, writes them in one statement, and finds out what became
 * of those that got no answer.
 *
 * @module
 */
import { Effect, Exit, Result } from "effect"
import { type Append, type Appended, duplicateId } from "./Append.ts"
import { type Head, LogError } from "./EventLog.ts"
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
import { machineMillis, pause, type Rows, type Session } from "./PostgresSession.ts"

export interface CommitOptions {
  readonly schema: string
  /** For appends and nothing else. */
  readonly line: Line
  readonly heads: Heads
  /** Given as `pg_stat_activity` shows our sessions. */
  readonly name: string
  /** How long (milliseconds) an append without an answer is looked for. */
  readonly settleMs: number
  readonly onCommitted: (position: number) => void
}

/** A head may be moved by another owner between our look and our statement; then we look again. */
const roundsMost = 3

/** An append that has no answer yet, and its place in the group. */
interface Open {
  readonly append: Append
  readonly index: number
}

interface Member extends Candidate, Open {}

export const makeCommit = (options: CommitOptions) => {
  const { heads, line, name, onCommitted, schema, settleMs } = options
  const callFor = makeAppendCalls(schema)

  /** Answers what can be answered without writing; the rest may be written. */
  const admitAll = (open: ReadonlyArray<Open>, fresh: boolean, results: Array<Appended>) =>
    Effect.map(
      heads.decide(
        open.map(({ append }) => append),
        { fresh }
      ),
      (decisions) =>
        open.flatMap(({ append, index }, i): ReadonlyArray<Member> | Member => {
          const decision = decisions[i]!
          if (decision._tag === "Write" && append.events.length > 0)
            return { append, index, head: decision.head }
          results[index] = decision._tag === "Write" ? Exit.succeed(decision.head) : exitOf(decision.answer)
          return []
        })
    )

  /** Writes them together; answers those whose head was another. */
  const write = (
    members: ReadonlyArray<Member>,
    results: Array<Appended>
  ): Effect.Effect<ReadonlyArray<Member>> =>
    Effect.matchEffect(line.session, {
      onFailure: (failure) => Effect.sync(() => refuse(members, failure, results)),
      onSuccess: (session) => {
        const { next, parameters, sql } = callFor(members)
        return Effect.matchEffect(session.query(sql, parameters), {
          onFailure: (failure) => unwritten(members, session, failure, results),
          onSuccess: (rows) => {
            const others = written(members, next, rows, results)
            const last = rows.at(-1)
            if (last !== undefined) onCommitted(last[1] as number)
            return Effect.succeed(others)
          }
        })
      }
    })

  const written = (
    members: ReadonlyArray<Member>,
    next: ReadonlyArray<Head>,
    rows: Rows,
    results: Array<Appended>
  ): ReadonlyArray<Member> => {
    for (const row of rows) {
      const i = (row[0] as number) - 1
      heads.remember(next[i]!)
      results[members[i]!.index] = Exit.succeed(next[i]!)
    }
    return rows.length === members.length ? [] : members.filter(({ index }) => results[index] === undefined)
  }

  const unwritten = Effect.fnUntraced(function* (
    members: ReadonlyArray<Member>,
    session: Session,
    failure: PostgresFailure,
    results: Array<Appended>
  ) {
    if (failure.isAmbiguous) {
      yield* settle(members, session.backend, results)
      return []
    }
    // The server does not say whose data it was: one after the other, everybody answers for himself.
    if (isRefusedData(failure) && members.length > 1) {
      const again = yield* Effect.forEach(members, (member) => write([member], results))
      return again.flat()
    }
    return refuse(members, failure, results)
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

  const round = (
    open: ReadonlyArray<Open>,
    count: number,
    results: Array<Appended>
  ): Effect.Effect<ReadonlyArray<Appended>, LogError> => {
    if (open.length === 0) return Effect.succeed(results)
    if (count === roundsMost) {
      for (const { append, index } of open) results[index] = Exit.fail(contended(append))
      return Effect.succeed(results)
    }
    return admitAll(open, count > 0, results).pipe(
      Effect.mapError(toLogError("append")),
      Effect.flatMap((writable) =>
        writable.length === 0 ? Effect.succeed(writable) : write(writable, results)
      ),
      Effect.flatMap((again) => round(again, count + 1, results))
    )
  }

  return (group: ReadonlyArray<Append>) =>
    Effect.suspend(() =>
      round(
        group.map((append, index) => ({ append, index })),
        0,
        new Array<Appended>(group.length)
      )
    )
}

/** Everybody gets the reason for himself. */
const refuse = (
  members: ReadonlyArray<Member>,
  failure: PostgresFailure,
  results: Array<Appended>
): ReadonlyArray<Member> => {
  for (const { append, index } of members) results[index] = Exit.fail(refusalOf(append, failure))
  return []
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
