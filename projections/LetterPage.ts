/**
 * A page of the dead letters of a log, and how many there are, without ever holding all of them.
 *
 * What counts is decided by the one fold that knows (`DeadLetters`). It keeps letters until somebody asks;
 * here those of a batch that is settled on every branch leave it at once: they are counted, and kept if they
 * are on the page. A replay of a new generation takes letters back, and a redrive or a discard lets them go, so
 * what is to come of these is told beforehand.
 *
 * Kept at any time: one page, the letters of the batches in flight, and the fate of each letter that somebody has
 * done something about.
 *
 * @module
 */
import type { EventOf, PipelineEvent } from "../events/PipelineEvent.ts"
import * as DeadLetters from "./DeadLetters.ts"
import * as LetterCauses from "./LetterCauses.ts"
import * as LetterFates from "./LetterFates.ts"

type DeadLetter = DeadLetters.DeadLetter

export interface LetterQuery {
  readonly limit: number
  /** Letters behind this place only; the order is that of batches, and of offsets within one. */
  readonly after: Place | null
  readonly stage?: string | undefined
  readonly code?: string | undefined
  readonly source?: string | undefined
  readonly run?: string | undefined
  /** All that are asked for are told by what went wrong as well. */
  readonly byCause?: boolean | undefined
}

export interface Place {
  readonly batch: number
  readonly offset: number
  /** Of what an aggregate made of the batch: behind the batch's own records. */
  readonly isMade?: boolean
}

/** A replay of a new generation, and the version of its event. */
export interface Replay {
  readonly version: number
  readonly run: string
  readonly from: EventOf<"ReplayStarted">["from"]
  /** How the run was set back, in this generation (its letters are void) or in the same (they may count again). */
  readonly setBack?: { readonly event: EventOf<"RunSetBack">; readonly isNew: boolean }
}

export interface LetterPage {
  readonly query: LetterQuery
  /** In the order of their events. */
  readonly replays: ReadonlyArray<Replay>
  /** What became of letters up to the end of what is read. */
  readonly fates: LetterFates.LetterFates
  readonly letters: DeadLetters.DeadLetters
  /** In order; the page as far as it is known. */
  readonly page: ReadonlyArray<DeadLetter>
  /** The first letter that found no room: nothing from there on belongs to the page. */
  readonly end: DeadLetter | null
  /** Letters that stand and are what was asked for, on whatever page. */
  readonly total: number
  /** Empty unless they are asked for. */
  readonly causes: LetterCauses.LetterCauses
}

/** A page has at most this many characters of records, or one letter. */
export const pageCharacters = 4 * 1024 * 1024

export const initial = (
  query: LetterQuery,
  replays: ReadonlyArray<Replay>,
  fates: LetterFates.LetterFates = LetterFates.initial
): LetterPage => ({
  query,
  replays,
  fates,
  letters: DeadLetters.initial,
  page: [],
  end: null,
  total: 0,
  causes: LetterCauses.initial
})

/** `at` is the time of the event (ms). */
export const evolve = (state: LetterPage, event: PipelineEvent, version: number, at: number): LetterPage => {
  const before = state.letters
  // What an abandoned generation still had under way ends here; what was settled of it leaves first.
  const ends = event._tag === "RunStarted" || isNewGeneration(before, event) || isSetBackAnew(before, event)
  const whole = ends ? leave(state, before, () => true, version, at) : state
  const letters = DeadLetters.evolve(whole.letters, event)
  if (letters === whole.letters) return whole
  const stays = (batch: number): boolean =>
    letters.provisional[batch] !== undefined || isOpenedAgain(state.replays, batch, version)
  return leave({ ...whole, letters }, letters, (batch) => !stays(batch), version, at)
}

/** The page, `true` where more follows, the total and the causes; letters of batches in flight count as far as they are decided. */
export const result = (state: LetterPage, version: number, at: number) => {
  const { causes, end, page, total } = leave(state, state.letters, () => true, version, at)
  return { letters: page, more: end !== null, total, causes }
}

/** The place a letter's id speaks of; `undefined` for what is no id. */
export const placeOf = (id: string): Place | undefined => {
  const [, batch, stage, offset] = /^\d+\.(\d+)\.(?:([\w-]+)\.)?(\d+)$/.exec(id) ?? []
  if (batch === undefined || offset === undefined) return undefined
  const place = { batch: Number(batch), offset: Number(offset) }
  return stage === undefined ? place : { ...place, isMade: true }
}

/** The replay that the fold takes for a new generation. */
export const isNewGeneration = (
  { generation }: Pick<DeadLetters.DeadLetters, "generation">,
  event: PipelineEvent
): event is EventOf<"ReplayStarted"> => event._tag === "ReplayStarted" && event.generation > generation

const isSetBackAnew = ({ generation }: DeadLetters.DeadLetters, event: PipelineEvent): boolean =>
  event._tag === "RunSetBack" && event.generation > generation

const leave = (
  state: LetterPage,
  letters: DeadLetters.DeadLetters,
  isOver: (batch: number) => boolean,
  version: number,
  at: number
): LetterPage => {
  const over = Object.keys(letters.settled).map(Number).filter(isOver)
  if (over.length === 0) return state
  const settled = { ...letters.settled }
  let next = state
  for (const batch of over) {
    for (const letter of settled[batch] ?? []) next = counted(next, letter, version, at)
    delete settled[batch]
  }
  return { ...next, letters: { ...letters, settled } }
}

const counted = (state: LetterPage, settled: DeadLetter, version: number, at: number): LetterPage => {
  const { query, replays } = state
  const letter = DeadLetters.since(settled, LetterFates.fateOf(state.fates, settled.id))
  if (letter === undefined) return state
  if (!fits(letter, query)) return state
  const left = replays.reduce<DeadLetter | undefined>(
    (of, replay) => (of === undefined || replay.version < version ? of : takenBack(replay, of)),
    letter
  )
  if (left === undefined) return state
  const causes = query.byCause === true ? LetterCauses.added(state.causes, left, at) : state.causes
  const next = { ...state, total: state.total + 1, causes }
  if (query.after !== null && compare(letter, query.after) <= 0) return next
  return state.end !== null && compare(left, state.end) >= 0 ? next : placed(next, left)
}

const fits = (letter: DeadLetter, { code, run, source, stage }: LetterQuery): boolean =>
  (stage === undefined || letter.stage === stage) &&
  (code === undefined || letter.reason.code === code) &&
  (source === undefined || letter.source === source) &&
  (run === undefined || letter.run === run)

/** What a replay leaves of a letter. */
const takenBack = (replay: Replay, letter: DeadLetter): DeadLetter | undefined => {
  const { from, run, setBack } = replay
  if (setBack !== undefined) return setBack.isNew ? DeadLetters.standing(letter, setBack.event) : letter
  const { offset, run: of, source } = letter
  const start = from.find((checkpoint) => checkpoint.source === source)?.offset ?? 0
  return run === of && offset >= start ? undefined : letter
}

/** Its letters are not through yet: in the same generation a sink may answer for the batch once more. */
const isOpenedAgain = (replays: ReadonlyArray<Replay>, batch: number, version: number): boolean =>
  replays.some(
    ({ setBack, version: at }) =>
      at > version && setBack?.isNew === false && setBack.event.open.some((open) => open.batch === batch)
  )

const placed = (state: LetterPage, letter: DeadLetter): LetterPage => {
  const at = state.page.findLastIndex((other) => compare(other, letter) < 0) + 1
  const page = state.page.toSpliced(at, 0, letter)
  let characters = page.reduce((sum, { raw }) => sum + raw.data.length, 0)
  let { end } = state
  while (page.length > state.query.limit || (page.length > 1 && characters > pageCharacters)) {
    end = page.pop()!
    characters -= end.raw.data.length
  }
  return { ...state, page, end }
}

/** The order of letters. */
export const compare = (a: Place | DeadLetter, b: Place | DeadLetter): number =>
  a.batch - b.batch || Number(isMade(a)) - Number(isMade(b)) || a.offset - b.offset

const isMade = (of: Place | DeadLetter): boolean => ("id" in of ? placeOf(of.id) : of)?.isMade === true
