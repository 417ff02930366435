/**
 * Waits for a redrive, and tells a person how far it is.
 *
 * @module
 */
import { Effect, Ref } from "effect"
import type { LetterOutcome, RedriveProgress, RequestedRedrive } from "../api/redrives.ts"
import { pageMost } from "../api/values.ts"
import { say, writeErr } from "./report.ts"
import { Service } from "./Service.ts"
import { grouped, isTerminal } from "./terminal.ts"

/** Milliseconds between two looks, at first and in the long run, and between two plain lines. */
const firstLook = 50
const lastLook = 1000
const plainEvery = 5000

/** How the waiting ended. `left` are the first letters that are still owed, with their reasons. */
export interface Waited extends Omit<RedriveProgress, "outcomes" | "next" | "settled"> {
  readonly end: "settled" | "stalled" | "interrupted"
  readonly left: ReadonlyArray<LetterOutcome>
}

/** Resolves when it is settled, when something is in its way, or when `stop` does. */
export const awaitRedrive = Effect.fnUntraced(function* (
  name: string,
  { redrive, version }: RequestedRedrive,
  stop: Effect.Effect<unknown>
) {
  const { client } = yield* Service
  const params = { name, redrive: redrive ?? "" }
  const stopped = yield* Ref.make(false)
  yield* stop.pipe(Effect.andThen(Ref.set(stopped, true)), Effect.forkScoped)
  const board = makeBoard()
  let pause = firstLook
  while (true) {
    const progress = yield* client.deadLetters.getRedrive({ params, query: { limit: 1 } })
    const end = endOf(progress, version, yield* Ref.get(stopped))
    yield* board.tell(progress, end !== undefined)
    if (end !== undefined) {
      const { next: _, outcomes: __, settled: ___, ...rest } = progress
      return { ...rest, end, left: yield* leftOf(params) } satisfies Waited as Waited
    }
    yield* Effect.raceFirst(Effect.sleep(pause), stop)
    pause = Math.min(lastLook, pause * 1.5)
  }
}, Effect.scoped)

/** What stood in the way before this attempt was asked for is no news. */
const endOf = (
  { settled, stalled }: RedriveProgress,
  version: number,
  isStopped: boolean
): Waited["end"] | undefined => {
  if (settled) return "settled"
  if (stalled !== null && stalled.version > version) return "stalled"
  return isStopped ? "interrupted" : undefined
}

const leftOf = Effect.fnUntraced(function* (params: { readonly name: string; readonly redrive: string }) {
  const { client } = yield* Service
  const left: Array<LetterOutcome> = []
  for (const outcome of ["nacked", "partly", "open"] as const) {
    const page = yield* client.deadLetters.getRedrive({ params, query: { outcome, limit: pageMost } })
    left.push(...page.outcomes)
  }
  return left
})

/** One line that is redrawn on a terminal, a plain one now and then everywhere else. */
const makeBoard = () => {
  const onTerminal = isTerminal(process.stderr)
  let waited = 0
  let pause = firstLook
  return {
    tell: (progress: RedriveProgress, isOver: boolean): Effect.Effect<void> => {
      if (onTerminal) return writeErr(`\r\u001b[2K${isOver ? "" : progressLine(progress)}`)
      waited += pause
      pause = Math.min(lastLook, pause * 1.5)
      if (isOver || waited < plainEvery) return Effect.void
      waited = 0
      return say(progressLine(progress))
    }
  }
}

const progressLine = ({ applied, filtered, nacked, open, requested }: RedriveProgress): string =>
  `${grouped(requested - open)} of ${grouped(requested)}: ${grouped(applied)} applied, ${grouped(filtered)} filtered, ${grouped(nacked)} not handled`
