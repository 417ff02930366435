/**
 * The records that could not be handled, once it is certain that they were not.
 *
 * A letter is provisional until the branch it is owed on is settled. The attempt that won is the truth
 * for its branch: its letters count, those of other attempts are void. So the fold keeps the letters of
 * every attempt at a batch until each branch has its winner, and lists only what a winner sealed.
 *
 * @module
 */
import type { EventOf, Letter, PipelineEvent, RestoredBatch } from "../events/PipelineEvent.ts"
import * as LetterFates from "./LetterFates.ts"
import { own } from "./own.ts"

/** A letter that counts: on `branches` it was decided by the attempt that won. */
export interface DeadLetter extends Letter {
  readonly run: string
  readonly batch: number
  /** How often it was not handled: seals of its batch with it, and redrives that nacked it again. */
  readonly attempts: number
  /** How many redrives it has had; absent while there was none. */
  readonly redrives?: number
  /** It is just being tried again. */
  readonly redriving?: true
}

/** What the attempts at one batch sealed as letters, while a branch of it has no winner. */
interface Provisional {
  readonly run: string
  /** The branches that have no winner yet. */
  readonly owed: ReadonlyArray<string>
  readonly letters: Readonly<Record<number, ReadonlyArray<Letter>>>
  /** What counted before the batch was opened again; it counts again if an attempt of that time turns out to be held. */
  readonly before?: ReadonlyArray<DeadLetter>
}

export interface DeadLetters {
  /** By batch, as their batches decided them: what became of them since is their fate. */
  readonly settled: Readonly<Record<number, ReadonlyArray<DeadLetter>>>
  /** By batch; only batches that have letters at all. */
  readonly provisional: Readonly<Record<number, Provisional>>
  readonly generation: number
  readonly fates: LetterFates.LetterFates
}

export const initial: DeadLetters = {
  settled: {},
  provisional: {},
  generation: 0,
  fates: LetterFates.initial
}

export const evolve = (before: DeadLetters, event: PipelineEvent): DeadLetters => {
  const fates = LetterFates.evolve(before.fates, event)
  const state = fates === before.fates ? before : { ...before, fates }
  switch (event._tag) {
    // What an abandoned run still owed is owed no more, and nobody will say who won.
    case "RunStarted":
      return { ...state, provisional: {} }
    case "BatchSealed":
      return sealed(state, event)
    case "StageApplied":
    case "DuplicateSuppressed":
      return settle(state, event.batch, event.stage, event.attempt)
    case "ReplayStarted":
      return replayed(state, event)
    case "RunSetBack":
      return setBack(state, event)
    default:
      return state
  }
}

/** The letters that count, in the order their records were read. */
export const list = (state: DeadLetters): ReadonlyArray<DeadLetter> =>
  Object.values(state.settled).flatMap((letters) =>
    letters
      .toSorted((a, b) => a.offset - b.offset)
      .flatMap((letter) => since(letter, LetterFates.fateOf(state.fates, letter.id)) ?? [])
  )

/** A letter as its fate leaves it: owed on the branches that have not left; `undefined` when all of them have. */
export const since = (letter: DeadLetter, fate: LetterFates.Fate | undefined): DeadLetter | undefined => {
  if (fate === undefined) return letter
  const branches = letter.branches.filter((stage) => !fate.left.includes(stage))
  if (branches.length === 0) return undefined
  return {
    ...letter,
    ...fate.last,
    branches,
    attempts: letter.attempts + fate.nacks,
    ...(fate.redrives === 0 ? {} : { redrives: fate.redrives }),
    ...(fate.isOpen ? { redriving: true } : {})
  }
}

const sealed = (state: DeadLetters, event: EventOf<"BatchSealed">): DeadLetters => {
  const { attempt, batch, branches, letters, run } = event
  const known = state.provisional[batch]
  if (known === undefined && letters.length === 0) return state
  const before: Provisional = known ?? { run, owed: Object.keys(branches), letters: {} }
  const provisional = { ...before, letters: { ...before.letters, [attempt]: letters } }
  const named = attemptsAt(provisional)
  const next: DeadLetters = {
    ...state,
    // A letter that is listed for one branch and sealed again for another has one more attempt.
    settled: withBatch(
      state.settled,
      batch,
      (state.settled[batch] ?? []).map((letter) => ({
        ...letter,
        attempts: named.get(letter.id) ?? letter.attempts
      }))
    ),
    provisional: { ...state.provisional, [batch]: provisional }
  }
  // Only a first seal settles a branch it has nothing for: later ones wait for the sink's word.
  const nothing = attempt === 1 ? Object.keys(branches).filter((stage) => branches[stage]?.records === 0) : []
  return nothing.reduce((to, stage) => settle(to, batch, stage, attempt), next)
}

const settle = (state: DeadLetters, batch: number, stage: string, winner: number): DeadLetters => {
  const provisional = state.provisional[batch]
  if (provisional === undefined || !provisional.owed.includes(stage)) return state
  const owed = provisional.owed.filter((branch) => branch !== stage)
  const { [batch]: _, ...others } = state.provisional
  const letters = (provisional.letters[winner] ?? provisional.before ?? []).filter(({ branches }) =>
    branches.includes(stage)
  )
  return {
    ...state,
    settled: withBatch(
      state.settled,
      batch,
      merged(state.settled[batch] ?? [], letters, batch, stage, provisional)
    ),
    provisional: owed.length === 0 ? others : { ...others, [batch]: { ...provisional, owed } }
  }
}

/** One record is one letter, on however many branches it is owed. */
const merged = (
  known: ReadonlyArray<DeadLetter>,
  letters: ReadonlyArray<Letter>,
  batch: number,
  stage: string,
  provisional: Provisional
): ReadonlyArray<DeadLetter> => {
  if (letters.length === 0) return known
  const named = attemptsAt(provisional)
  const byId = new Map(known.map((letter) => [letter.id, letter]))
  for (const letter of letters) {
    const branches = [...(byId.get(letter.id)?.branches ?? []), stage]
    const attempts = (named.get(letter.id) ?? 0) + earlier(letter, provisional)
    byId.set(letter.id, { ...letter, branches, run: provisional.run, batch, attempts })
  }
  return [...byId.values()]
}

/** How often a letter had been sealed before its batch was opened again. */
const earlier = ({ id }: Letter, { before }: Provisional): number =>
  before?.find((letter) => letter.id === id)?.attempts ?? 0

const withBatch = (
  settled: DeadLetters["settled"],
  batch: number,
  letters: ReadonlyArray<DeadLetter>
): DeadLetters["settled"] =>
  letters.length === 0 && settled[batch] === undefined ? settled : { ...settled, [batch]: letters }

/** How many attempts named each letter. */
const attemptsAt = ({ letters }: Provisional): ReadonlyMap<string, number> => {
  const named = new Map<string, number>()
  for (const sealed of Object.values(letters)) {
    for (const { id } of sealed) named.set(id, (named.get(id) ?? 0) + 1)
  }
  return named
}

/** A new generation decides its range anew: the letters of the old one from there on are void. */
const replayed = (state: DeadLetters, event: EventOf<"ReplayStarted">): DeadLetters => {
  if (event.generation <= state.generation) return state
  const from = new Map(event.from.map(({ offset, source }) => [source, offset]))
  const settled: Record<number, ReadonlyArray<DeadLetter>> = {}
  for (const [batch, letters] of Object.entries(state.settled)) {
    const standing = letters.filter(
      ({ offset, run, source }) => run !== event.run || offset < (from.get(source) ?? 0)
    )
    if (standing.length > 0) settled[Number(batch)] = standing
  }
  // A replay starts with nothing owed, so what is provisional is of the generation that ended.
  return { ...state, settled, provisional: {}, generation: event.generation }
}

/**
 * What the run decided after that version is decided again: letters of branches that were settled by then
 * stand, a new generation voids the others, the same one waits for what their sinks hold.
 */
const setBack = (state: DeadLetters, event: EventOf<"RunSetBack">): DeadLetters => {
  const isNew = event.generation > state.generation
  const open = new Map(event.open.map((batch) => [batch.batch, batch]))
  const settled: Record<number, ReadonlyArray<DeadLetter>> = {}
  const provisional: Record<number, Provisional> = {}
  for (const [key, letters] of Object.entries(state.settled)) {
    const batch = Number(key)
    const standing = divided(letters, (letter, branch) => stands(letter, branch, event, open.get(batch)))
    if (standing.length > 0) settled[batch] = standing
    const again = open.get(batch)
    if (isNew || again === undefined) continue
    const before = divided(letters, (letter, branch) => !stands(letter, branch, event, again))
    if (before.length > 0) provisional[batch] = { run: event.run, owed: owedOf(again), letters: {}, before }
  }
  for (const [key, known] of isNew ? [] : Object.entries(state.provisional)) {
    const again = open.get(Number(key))
    if (again === undefined) continue
    provisional[Number(key)] = {
      ...known,
      ...provisional[Number(key)],
      letters: known.letters,
      owed: owedOf(again)
    }
  }
  return { ...state, settled, provisional, generation: Math.max(state.generation, event.generation) }
}

/** A letter as a set-back leaves it: with the branches on which it still counts; `undefined` when there are none. */
export const standing = (letter: DeadLetter, event: EventOf<"RunSetBack">): DeadLetter | undefined => {
  const open = event.open.find(({ batch }) => batch === letter.batch)
  return divided([letter], (of, branch) => stands(of, branch, event, open))[0]
}

const owedOf = ({ branches }: RestoredBatch): ReadonlyArray<string> =>
  Object.keys(branches).filter((stage) => branches[stage]?.winner === null)

/** The letters with those of their branches that are asked for; letters without any are left out. */
const divided = (
  letters: ReadonlyArray<DeadLetter>,
  takes: (letter: DeadLetter, branch: string) => boolean
): ReadonlyArray<DeadLetter> =>
  letters.flatMap((letter) => {
    const branches = letter.branches.filter((branch) => takes(letter, branch))
    return branches.length === 0 ? [] : [{ ...letter, branches }]
  })

const stands = (
  { batch, id, offset, run, source }: DeadLetter,
  branch: string,
  { branches, run: ofRun, sources }: EventOf<"RunSetBack">,
  open: RestoredBatch | undefined
): boolean => {
  const winner = own(open?.branches ?? {}, branch)?.winner
  const isWon = winner !== undefined && winner !== null
  if (run === ofRun && branches?.includes(branch) !== false && isMade(id)) {
    // What an aggregate made is no record of a source: its batch says whether it was settled by then.
    const last = Object.values(sources).reduce(
      (most, { checkpoint }) => Math.max(most, checkpoint?.batch ?? -1),
      -1
    )
    return open === undefined ? batch <= last : isWon
  }
  const back = own(sources, source)
  if (run !== ofRun || back === undefined || branches?.includes(branch) === false) return true
  return offset < (back.checkpoint?.offset ?? 0) || isWon
}

/** Its id names the aggregate: `generation.batch.stage.ordinal`. */
const isMade = (id: string): boolean => /^\d+\.\d+\.[\w-]+\.\d+$/.test(id)
