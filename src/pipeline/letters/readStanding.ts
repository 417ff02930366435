/**
 * The dead letters that stand, read from the log without what they say.
 *
 * @module
 */
import { Effect } from "effect"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import * as Bench from "../../../projections/Bench.ts"
import * as DeadLetters from "../../../projections/DeadLetters.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { type Moment, Rejection } from "../Command.ts"
import { eachEvent } from "../replay/readTimeline.ts"
import { withoutBytes } from "../replay/withoutBytes.ts"
import type { LetterChoice, LetterFilter } from "./LetterRequest.ts"
import { EditVersions } from "./lastEdits.ts"

export interface Standing {
  /** In the order their records were read, with what became of them since. */
  readonly letters: ReadonlyArray<DeadLetters.DeadLetter>
  /** The version of the event that holds a letter's bytes. */
  readonly sealedAt: ReadonlyMap<string, number>
  /** Where the payload is that a letter was last edited to. */
  readonly edits: EditVersions
  readonly state: PipelineState.PipelineState
  /** The log was read up to here. */
  readonly seen: number
}

/** Memory: a line a letter. */
export const readStanding = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  id: string
): Effect.fn.Return<Standing, LogError | UndecodableEvent> {
  let letters = DeadLetters.initial
  let state = PipelineState.initial
  let seen = 0
  const sealedAt = new Map<string, number>()
  const edits = new EditVersions()
  yield* eachEvent(log, pipelineStream(id), 0, (event, { version }) => {
    if (event._tag === "BatchSealed") for (const letter of event.letters) sealedAt.set(letter.id, version)
    letters = DeadLetters.evolve(letters, withoutBytes(event))
    state = PipelineState.evolve(state, event)
    edits.see(event, version)
    seen = version
    return true
  })
  return { letters: DeadLetters.list(letters), sealedAt, edits, state, seen }
})

/** The letters that are meant, in the order they are named or were read; one that does not stand is refused. */
export const chosen = (
  { letters }: Pick<Standing, "letters">,
  choice: LetterChoice
): Effect.Effect<ReadonlyArray<DeadLetters.DeadLetter>, Rejection> => {
  if (choice === "all") return Effect.succeed(letters)
  if (!isIds(choice)) return Effect.succeed(letters.filter((letter) => fits(letter, choice)))
  const byId = new Map(letters.map((letter) => [letter.id, letter]))
  return Effect.forEach(choice, (id) => {
    const letter = byId.get(id)
    if (letter !== undefined) return Effect.succeed(letter)
    const message = `there is no dead letter ${JSON.stringify(id)} that is owed to anybody`
    const suggestion = "it has left, or never was: look at the list"
    return Effect.fail(new Rejection({ code: "unknown_letter", message, suggestion }))
  })
}

export const isIds = (choice: LetterChoice): choice is ReadonlyArray<string> => Array.isArray(choice)

const fits = (letter: DeadLetters.DeadLetter, { code, run, source, stage }: LetterFilter): boolean =>
  (stage === undefined || letter.stage === stage) &&
  (code === undefined || letter.reason.code === code) &&
  (source === undefined || letter.source === source) &&
  (run === undefined || letter.run === run)

/** What a command says of when the letters were looked at. */
export const lookedAt = ({
  state
}: Pick<Standing, "state">): { readonly revision: number; readonly at: Moment } => ({
  revision: (state.bench ?? Bench.initial).revision,
  at: { run: state.run?.id ?? "", lives: state.run?.lives ?? 0, generation: state.generation }
})
