/**
 * Asks for letters to be tried again, as many as are chosen, in events of bounded size.
 *
 * @module
 */
import { Effect } from "effect"
import { type Definition, decodeDefinition } from "../../../events/Definition.ts"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import { editsMost, type LetterEdit, redrivesMost, requestedMost } from "../../../events/Redrive.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import type { DeadLetter } from "../../../projections/DeadLetters.ts"
import { isActive } from "../../../projections/transitions.ts"
import { reachableSinks } from "../../flow/graph/reachableSinks.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import type { Asker } from "../Asker.ts"
import { awaitState } from "../awaitState.ts"
import { Rejection } from "../Command.ts"
import type { SendError } from "../PipelineActor.ts"
import type { HostedPipeline } from "../Pipelines.ts"
import { isAtWork } from "../runOnce.ts"
import { processLost } from "../situation.ts"
import { readLetter } from "./fetchLetter.ts"
import { editOf } from "./LetterEdit.ts"
import type { RedriveRequest, RequestedRedrive } from "./LetterRequest.ts"
import { lastEdits } from "./lastEdits.ts"
import { chosen, isIds, lookedAt, readStanding, type Standing } from "./readStanding.ts"

type Log = EventLog["Service"]
export type BenchError = SendError | LogError | UndecodableEvent

/**
 * Requests redrives and has them worked on; answers when all of them are in the log. Of more than `redrivesMost`
 * the rest is asked for as the first are settled. Letters that are being redriven already are passed over, unless
 * they were named.
 */
export const requestRedrive = Effect.fnUntraced(function* (
  pipeline: HostedPipeline,
  log: Log,
  request: RedriveRequest & { readonly by: Asker }
): Effect.fn.Return<RequestedRedrive, BenchError> {
  const { actor } = pipeline
  yield* leaveLostRun(pipeline, request.by)
  const letters: Array<{ readonly letter: string; readonly n: number }> = []
  const asked = new Set<string>()
  let first: number | undefined
  let meant: ReadonlySet<string> | undefined
  let looks = 0
  while (true) {
    const standing = yield* readStanding(log, actor.id)
    first ??= standing.seen
    // The second time some of those that were named may have left by now.
    const all = yield* chosen(standing, meant === undefined ? request.letters : "all")
    meant ??= new Set(all.map(({ id }) => id))
    const wanted = meant
    const left = all.filter(
      ({ id, redriving }) =>
        wanted.has(id) && !asked.has(id) && (isIds(request.letters) || redriving !== true)
    )
    const sent = yield* send(pipeline, log, standing, left, request, looks++)
    if (sent.length > 0) looks = 0
    for (const { id, redrives = 0 } of sent) {
      asked.add(id)
      letters.push({ letter: id, n: redrives + 1 })
    }
    yield* pipeline.redrive
    if (sent.length === left.length) break
    yield* awaitState(actor, ({ bench }) => (bench?.open.length ?? 0) <= redrivesMost - requestedMost)
  }
  if (letters.length === 0) {
    return yield* new Rejection({ code: "unknown_letter", message: "no dead letter is what was asked for" })
  }
  return { letters, seen: first }
})

/** A run that a process which is gone has left at work is nobody's: it waits for its next start, and is said to. */
export const leaveLostRun = Effect.fnUntraced(function* ({ actor }: HostedPipeline, by: Asker) {
  const state = yield* actor.state
  if (!isActive(state.lifecycle) || isAtWork(actor, state) || state.run === null) return
  yield* actor.send({ _tag: "CrashRun", reason: processLost, life: state.run.lives }, by)
})

/** Asks for as many as there is room for, in one reading of the log; answers with those. */
const send = Effect.fnUntraced(function* (
  { actor }: HostedPipeline,
  log: Log,
  standing: Standing,
  letters: ReadonlyArray<DeadLetter>,
  { by, edits = {}, rate, reason = "" }: RedriveRequest & { readonly by: Asker },
  looks: number
): Effect.fn.Return<ReadonlyArray<DeadLetter>, BenchError> {
  yield* mayGoThere(standing, letters)
  const { at, revision } = lookedAt(standing)
  const sent: Array<DeadLetter> = []
  let sends = 0
  while (sent.length < letters.length) {
    const room = redrivesMost - ((yield* actor.state).bench?.open.length ?? 0)
    if (room <= 0) break
    const next = letters.slice(sent.length, sent.length + Math.min(requestedMost, room))
    const made = yield* editsOf(log, actor.id, standing, next, edits)
    const fitting = next.slice(0, made.fitting)
    const request = {
      letters: fitting.map(({ branches, id, redrives = 0 }) => ({
        letter: id,
        n: redrives + 1,
        branches,
        sealed: standing.sealedAt.get(id)!
      })),
      edits: made.edits,
      rate: rate !== undefined && rate > 0 ? rate : null,
      reason,
      seen: standing.seen
    }
    // Every request of ours is one more thing that was asked for.
    const command = { _tag: "RequestRedrive", request, revision: revision + sends, at } as const
    const told = yield* Effect.result(actor.send(command, by))
    if (told._tag === "Failure") {
      // Somebody else has asked for something, or a run has gone on: the letters are looked at again.
      if (isStale(told.failure) && looks < looksMost) break
      return yield* told.failure
    }
    sends++
    sent.push(...fitting)
  }
  return sent
})

/** The edits of so many of these letters that one event holds them. */
const editsOf = Effect.fnUntraced(function* (
  log: Log,
  id: string,
  standing: Standing,
  letters: ReadonlyArray<DeadLetter>,
  given: NonNullable<RedriveRequest["edits"]>
): Effect.fn.Return<
  { readonly edits: ReadonlyArray<LetterEdit>; readonly fitting: number },
  LogError | UndecodableEvent
> {
  const { seen, sealedAt } = standing
  const edits = { ...(yield* lastEdits(log, id, standing, letters)), ...given }
  const made: Array<LetterEdit> = []
  let bytes = 0
  for (const [index, letter] of letters.entries()) {
    if (!Object.hasOwn(edits, letter.id)) continue
    const of = { letter: letter.id, n: 0, sealed: sealedAt.get(letter.id)!, seen, edited: false }
    const kept = yield* readLetter(log, pipelineStream(id), of)
    const edit = editOf(kept.letter, edits[letter.id])
    bytes += Buffer.byteLength(JSON.stringify(edit))
    if (bytes > editsMost && made.length > 0) return { edits: made, fitting: index }
    made.push(edit)
  }
  return { edits: made, fitting: letters.length }
})

/** Where a letter enters, and the sinks it is owed to, must be there in the definition in force. */
const mayGoThere = (
  { state }: Standing,
  letters: ReadonlyArray<DeadLetter>
): Effect.Effect<void, Rejection> => {
  const decoded = decodeDefinition(state.definition?.definition)
  if (decoded._tag === "Failure") {
    const message = "the definition in force has findings: nothing can be redriven"
    return Effect.fail(
      new Rejection({ code: "invalid_definition", message, suggestion: "correct the pipeline file" })
    )
  }
  const reaches = reachableSinks(decoded.success)
  for (const { branches, id, origin, source: group } of letters) {
    const source = origin?.source ?? group
    const sinks = reaches.get(source)
    const gone = sinks === undefined ? source : branches.find((branch) => !sinks.includes(branch))
    if (gone === undefined) continue
    return Effect.fail(
      new Rejection({
        code: "stage_gone",
        message: `${id} is owed to ${branches.join(", ")} from ${source}, and the definition in force has no way ${sinks === undefined ? "from" : "to"} ${gone}`,
        suggestion: `give the definition its stage back, or discard the letter; its stages are ${stagesOf(decoded.success)}`
      })
    )
  }
  return Effect.void
}

const isStale = (error: SendError): boolean => error._tag === "Rejection" && error.code === "stale_version"

/** So often the letters are looked at again, when they change all the time. */
const looksMost = 20

const stagesOf = ({ stages }: Definition): string => Object.keys(stages).join(", ")
