/**
 * The `redriveDeadLetters` operation: letters are asked to be tried again, as many as there is room for.
 *
 * @module
 */
import { Effect, Result } from "effect"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import { redrivesMost } from "../../events/Redrive.ts"
import type { UndecodableEvent } from "../../events/upcast.ts"
import type { DeadLetter } from "../../projections/DeadLetters.ts"
import type { RememberedCommand } from "../../projections/RememberedCommands.ts"
import { commandId } from "../../projections/RememberedCommands.ts"
import { failed } from "../api/failures.ts"
import type { RedrivePayload, RequestedRedrive } from "../api/redrives.ts"
import { EventLog, type LogError } from "../log/EventLog.ts"
import type { Asker } from "../pipeline/Asker.ts"
import { foldRows } from "../pipeline/history/foldStream.ts"
import type { RedriveName } from "../pipeline/letters/readRedrive.ts"
import { readRequests } from "../pipeline/letters/readRedrive.ts"
import { isIds, readStanding, type Standing } from "../pipeline/letters/readStanding.ts"
import { requestRedrive } from "../pipeline/letters/requestRedrive.ts"
import { type HostedPipeline, Pipelines } from "../pipeline/Pipelines.ts"
import { chooseLetters, refuseStray } from "./chooseLetters.ts"
import { editsOf } from "./editsOf.ts"
import { refusing } from "./refusalOf.ts"
import { refusingRedrive } from "./refusingRedrive.ts"

/** Answers once all that there is room for is in the log, and goes on from there. */
export const redriveLetters = Effect.fnUntraced(
  function* (id: string, name: string, payload: RedrivePayload, by: Asker) {
    const pipelines = yield* Pipelines
    const log = yield* EventLog
    const hosted = yield* pipelines.get(id)
    const standing = yield* readStanding(log, id)
    const chosen = yield* chooseLetters(standing, payload)
    const fresh = isIds(payload.letters) ? chosen : chosen.filter(({ redriving }) => redriving !== true)
    const open = openedAt(standing, chosen)
    if (fresh.length === 0) return yield* goOn(hosted, standing, open)
    const letters = yield* asManyAsFit(standing, payload, fresh)
    yield* refuseStray(payload.edits ?? {}, letters)
    const edits = yield* editsOf(id, name, standing, letters, payload)
    const ids = letters.map((letter) => letter.id)
    const { rate, reason } = payload
    const request = { letters: ids, edits, rate: rate ?? undefined, reason: reason ?? undefined, by }
    const requested = yield* requestRedrive(hosted, log, request)
    yield* pipelines.adopt(id)
    // What was asked for before and is not through is part of it.
    const after = Math.min(requested.seen, ...open)
    return wire(
      { after, until: yield* lastRequest(log, id, requested.seen) },
      requested.letters,
      letters.length < fresh.length ? ids.at(-1)! : null
    )
  },
  Effect.scoped,
  refusingRedrive,
  refusing
)

/** The answer to a key whose answer is not remembered: the log knows what was asked for. */
export const redriveAgain = Effect.fnUntraced(function* (
  id: string,
  payload: RedrivePayload,
  found: RememberedCommand
) {
  const log = yield* EventLog
  const mine = commandId(found.key, found.request)
  const name = { after: found.first - 1, until: yield* lastRequest(log, id, found.first - 1, mine) }
  const { letters } = yield* readRequests(log, id, name)
  const standing = yield* readStanding(log, id)
  const last = letters.at(-1)?.letter
  const behind =
    isIds(payload.letters) || last === undefined
      ? []
      : (yield* chooseLetters(standing, { ...payload, after: last })).filter(
          ({ redriving }) => redriving !== true
        )
  return wire(name, letters, behind.length === 0 ? null : last!)
}, refusing)

/** `40-41`: what was asked for behind version 40 of the log, up to and with 41. */
export const redriveText = ({ after, until }: RedriveName): string => `${after}-${until}`

const wire = (
  name: RedriveName,
  letters: ReadonlyArray<{ readonly letter: string; readonly n: number }>,
  next: string | null,
  version = name.until
): RequestedRedrive => ({
  redrive: redriveText(name),
  requested: letters.length,
  letters: letters.map(({ letter, n }) => ({ letter, redrive: n })),
  version,
  next
})

/** For each of these that is being redriven already, the version before it was asked for. */
const openedAt = ({ state }: Standing, letters: ReadonlyArray<DeadLetter>): ReadonlyArray<number> => {
  const wanted = new Set(letters.map(({ id }) => id))
  return (state.bench?.open ?? []).flatMap(({ letter, seen }) => (wanted.has(letter) ? [seen] : []))
}

/** Nothing is asked for anew; what is open goes on, if a process was in the way of that. */
const goOn = Effect.fnUntraced(function* (
  { actor, redrive }: HostedPipeline,
  { seen }: Standing,
  open: ReadonlyArray<number>
) {
  if (open.length === 0) return { redrive: null, requested: 0, letters: [], version: seen, next: null }
  yield* redrive
  yield* (yield* Pipelines).adopt(actor.id)
  const log = yield* EventLog
  const after = Math.min(...open)
  return wire({ after, until: yield* lastRequest(log, actor.id, after) }, [], null, seen)
})

const asManyAsFit = (
  { state }: Standing,
  { letters: choice }: RedrivePayload,
  fresh: ReadonlyArray<DeadLetter>
) => {
  const open = state.bench?.open.length ?? 0
  const room = redrivesMost - open
  return room > 0 && (fresh.length <= room || !isIds(choice))
    ? Effect.succeed(fresh.slice(0, room))
    : Effect.fail(
        failed("InvalidRedrive", `${open} redrives are open, and ${redrivesMost} at most may be`, {
          reason: "too_many_redrives",
          path: "/letters",
          suggestion: "wait until some of them are settled"
        })
      )
}

/** The version of the last request behind `after`, or of the last one of this command. */
const lastRequest = (
  log: EventLog["Service"],
  id: string,
  after: number,
  command?: string
): Effect.Effect<number, LogError | UndecodableEvent> =>
  Effect.map(
    foldRows(log, { stream: pipelineStream(id) }, { state: after, version: after }, (last, row) =>
      Result.succeed(
        row.type === "RedriveRequested" && (command === undefined || row.correlationId === command)
          ? row.version
          : last
      )
    ),
    ({ state }) => state
  )
