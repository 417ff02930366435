/**
 * What may be asked of dead letters. Pure.
 *
 * Which letters stand is in the log and not in the state, so whoever asks has read them there and says when that
 * was: only what was asked for at the bench, and a run that is set back, takes letters away.
 *
 * @module
 */
import { editMost, editsMost, redrivesMost, requestedMost } from "../../../events/Redrive.ts"
import * as Bench from "../../../projections/Bench.ts"
import { placeOf } from "../../../projections/LetterPage.ts"
import { isSealed } from "../../../projections/OpenRedrive.ts"
import { hasUnfinishedRun, openBatch, type PipelineState } from "../../../projections/PipelineState.ts"
import { isActive } from "../../../projections/transitions.ts"
import type { Command, Moment } from "../Command.ts"
import { accept, type Decision, reject } from "../Decision.ts"

type CommandOf<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

export const requestRedrive = (
  state: PipelineState,
  { at, request, revision }: CommandOf<"RequestRedrive">
): Decision => {
  const { bench = Bench.initial } = state
  const letters = request.letters.map(({ letter }) => letter)
  const refused =
    isStale(state, revision, at) ??
    mayBeAsked(state, letters) ??
    isOpen(state, letters, "wait until it is settled") ??
    isTooLarge(request.edits)
  if (refused !== undefined) return refused
  if (letters.length > requestedMost || bench.open.length + letters.length > redrivesMost) {
    return reject(
      "too_many_redrives",
      `${bench.open.length} redrives are open, and ${letters.length} more were asked for at once`,
      `ask for ${requestedMost} at a time, and wait while ${redrivesMost} are open`
    )
  }
  return accept({ _tag: "RedriveRequested", ...request })
}

export const withdrawRedrives = (
  { bench = Bench.initial }: PipelineState,
  { letters, reason }: CommandOf<"WithdrawRedrives">
): Decision => {
  const asked = letters ?? bench.open.filter((redrive) => !isSealed(redrive)).map(({ letter }) => letter)
  for (const letter of asked) {
    const open = Bench.openRedrive(bench, letter)
    if (open === undefined) return reject("nothing_to_withdraw", `${letter} is not being redriven`)
    // Its effect may be at a sink by now: only the sink can say.
    if (isSealed(open)) return reject("redrive_sealed", `redrive ${open.n} of ${letter} has begun`)
  }
  return asked.length === 0
    ? reject("nothing_to_withdraw", "no redrive waits to begin")
    : accept({ _tag: "RedrivesWithdrawn", letters: asked, reason })
}

export const discardLetters = (
  state: PipelineState,
  { at, force, letters, reason, revision }: CommandOf<"DiscardLetters">
): Decision => {
  const ids = letters.map(({ letter }) => letter)
  const suggestion = "wait until it is settled, or discard it with force"
  return (
    isStale(state, revision, at) ??
    mayBeAsked(state, ids) ??
    (force ? undefined : isOpen(state, ids, suggestion)) ??
    accept({ _tag: "DeadLettersDiscarded", letters, reason })
  )
}

export const stallRedrives = (
  state: PipelineState,
  { attempt, delayMs, reason, stage }: CommandOf<"StallRedrives">
): Decision =>
  Bench.isOwed(state.bench)
    ? accept({ _tag: "RedrivesStalled", stage, reason, attempt, delayMs })
    : reject("nothing_to_withdraw", "there is nothing to redrive")

/** Definition and run are held fast by what was begun with them. */
export const benchIsBusy = (state: PipelineState): Decision =>
  reject(
    "redrive_open",
    `${state.bench?.open.length ?? 0} redrives of dead letters are not settled`,
    "wait until they are, or discard their letters with force"
  )

const isStale = (state: PipelineState, revision: number, at: Moment): Decision | undefined => {
  const { bench = Bench.initial, generation, run } = state
  return bench.revision === revision &&
    run?.id === at.run &&
    run.lives === at.lives &&
    generation === at.generation
    ? undefined
    : reject("stale_version", "the dead letters have changed since they were looked at", "look at them again")
}

const mayBeAsked = (state: PipelineState, letters: ReadonlyArray<string>): Decision | undefined => {
  if (letters.length === 0) return reject("unknown_letter", "no dead letter was named")
  if (new Set(letters).size < letters.length) return reject("redrive_open", "a letter was named twice")
  if (!hasUnfinishedRun(state)) return undefined
  // A letter becomes visible with the settled prefix of its run: until then another attempt may decide otherwise.
  const early = letters.find((letter) => openBatch(state, placeOf(letter)?.batch ?? -1) !== undefined)
  return early === undefined
    ? undefined
    : reject(
        "letter_unsettled",
        `the batch of ${early} is not settled by every sink`,
        isActive(state.lifecycle) ? "ask again in a moment" : "let the run go on first"
      )
}

const isOpen = (
  { bench }: PipelineState,
  letters: ReadonlyArray<string>,
  suggestion: string
): Decision | undefined => {
  const known = new Set(bench?.open.map(({ letter }) => letter))
  const open = letters.find((letter) => known.has(letter))
  return open === undefined ? undefined : reject("redrive_open", `${open} is being redriven`, suggestion)
}

const isTooLarge = (edits: CommandOf<"RequestRedrive">["request"]["edits"]): Decision | undefined => {
  let sum = 0
  for (const { letter, payload } of edits) {
    const size = new TextEncoder().encode(JSON.stringify(payload)).length
    sum += size
    if (size > editMost) {
      return reject(
        "edit_too_large",
        `the payload for ${letter} has ${size} bytes; at most ${editMost} are taken`
      )
    }
  }
  return sum <= editsMost
    ? undefined
    : reject("edit_too_large", `the payloads have ${sum} bytes; at most ${editsMost} are taken at once`)
}
