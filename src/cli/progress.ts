/**
 * How far the pipelines are, on stderr: a line each that is redrawn on a terminal, a plain line now and
 * then everywhere else. It looks at states; it never slows or steers a run.
 *
 * @module
 */
import { Clock, Effect, Schedule } from "effect"
import type { PipelineState } from "../../projections/PipelineState.ts"
import type { HostedPipeline } from "../pipeline/Pipelines.ts"
import { say, writeErr } from "./report.ts"
import { cut, grouped, isTerminal, plural, type Style, shown, styleOf } from "./terminal.ts"

/** Milliseconds between two redraws of a terminal, and between two plain lines of a pipeline. */
const redrawMs = 100
const plainMs = 5000
const barCells = 20

export interface Board {
  readonly add: (name: string, pipeline: HostedPipeline, resumedFrom: number | null) => Effect.Effect<void>
  /** A line that stays. */
  readonly note: (name: string, text: string) => Effect.Effect<void>
  readonly remove: (name: string) => Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

interface Row {
  readonly name: string
  readonly pipeline: HostedPipeline
  readonly began: number
  readonly resumedFrom: number
}

/** Draws until its scope closes. */
export const openBoard = Effect.gen(function* () {
  const rows = new Map<string, Row>()
  const onTerminal = isTerminal(process.stderr)
  const style = styleOf(process.stderr)
  let drawn = 0

  const erase = Effect.suspend(() => {
    const lines = drawn
    drawn = 0
    return lines === 0 ? Effect.void : writeErr(`\u001b[${lines}A\u001b[J`)
  })
  const draw = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const lines: Array<string> = []
    for (const row of rows.values()) lines.push(terminalLine(yield* glimpse(row, now), width(), style))
    const up = drawn === 0 ? "" : `\u001b[${drawn}A`
    drawn = lines.length
    if (lines.length > 0)
      yield* writeErr(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join("")}\u001b[J`)
  })
  const tell = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const row of rows.values()) {
      // A short run needs no news between its first line and its summary.
      if (now - row.began >= plainMs) yield* say(plainLine(yield* glimpse(row, now)))
    }
  })
  const note = Effect.fnUntraced(function* (name: string, text: string) {
    if (onTerminal) yield* erase
    yield* say(`${shown(name)}: ${text}`)
  })
  yield* Effect.repeat(onTerminal ? draw : tell, Schedule.spaced(onTerminal ? redrawMs : plainMs)).pipe(
    Effect.forkScoped
  )

  const board: Board = {
    add: Effect.fnUntraced(function* (name, pipeline, resumedFrom) {
      const began = yield* Clock.currentTimeMillis
      yield* note(
        name,
        resumedFrom === null ? "run started" : `run goes on from record ${grouped(resumedFrom)}`
      )
      rows.set(name, { name, pipeline, began, resumedFrom: resumedFrom ?? 0 })
    }),
    note,
    remove: (name) =>
      Effect.andThen(onTerminal ? erase : Effect.void, () =>
        Effect.sync(() => {
          rows.delete(name)
        })
      ),
    close: Effect.suspend(() => {
      rows.clear()
      return onTerminal ? erase : Effect.void
    })
  }
  return board
})

/** What is drawn of a pipeline: how much of its source is read (0 to 1, where it is known) and its counts. */
interface Glimpse {
  readonly name: string
  readonly share: number | undefined
  readonly read: number
  readonly perSecond: number
  readonly sinks: ReadonlyArray<string>
  readonly letters: number
}

const glimpse = Effect.fnUntraced(function* ({ began, name, pipeline, resumedFrom }: Row, now: number) {
  const state: PipelineState = yield* pipeline.actor.state
  const counts = state.run?.counts
  const read = counts?.read ?? 0
  const elapsed = Math.max(1, now - began)
  return {
    name: shown(name),
    share: shareOf(pipeline.progress()),
    read,
    perSecond: Math.round((Math.max(0, read - resumedFrom) * 1000) / elapsed),
    sinks: Object.entries(counts?.applied ?? {}).map(([sink, records]) => `${sink} ${grouped(records)}`),
    letters: counts?.lettered ?? 0
  } satisfies Glimpse
})

/** Sources are weighed alike: bytes of one and rows of another cannot be added. */
const shareOf = (sources: ReturnType<HostedPipeline["progress"]>): number | undefined => {
  if (sources.length === 0) return undefined
  let sum = 0
  for (const { done, total } of sources) {
    if (total === null) return undefined
    sum += total === 0 ? 1 : Math.min(1, done / total)
  }
  return sum / sources.length
}

const percent = (share: number): string => `${Math.floor(share * 100)}%`

const terminalLine = (seen: Glimpse, columns: number, style: Style): string => {
  const bar =
    seen.share === undefined
      ? ""
      : `${"█".repeat(Math.round(seen.share * barCells)).padEnd(barCells, "░")} ${percent(seen.share).padStart(4)}  `
  const letters = seen.letters === 0 ? "" : ` · ${plural(seen.letters, "dead letter")}`
  const text = `${seen.name}  ${bar}${grouped(seen.read)} read · ${grouped(seen.perSecond)}/s`
  // A line that wraps could not be redrawn: what does not fit is left out, sinks before dead letters.
  const room = columns - 1 - text.length - letters.length
  const sinks = seen.sinks.map((sink) => ` · ${sink}`).join("")
  return room < 0 ? cut(text, columns - 1) : `${text}${cut(sinks, room)}${style.red(letters)}`
}

const plainLine = ({ letters, name, perSecond, read, share, sinks }: Glimpse): string =>
  [
    `${name}: ${share === undefined ? "" : `${percent(share)}, `}${grouped(read)} read, ${grouped(perSecond)}/s`,
    ...sinks,
    ...(letters === 0 ? [] : [plural(letters, "dead letter")])
  ].join(", ")

const width = (): number => process.stderr.columns ?? 80
