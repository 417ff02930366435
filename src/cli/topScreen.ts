/**
 * The work behind `millrace top`: a screen that is drawn every second, or the figures of one.
 *
 * @module
 */
import { Clock, Effect } from "effect"
import { failureOf } from "./CliFailure.ts"
import { findService } from "./findService.ts"
import { Json } from "./globalFlags.ts"
import { openKeys } from "./keys.ts"
import { logPlace } from "./logPlace.ts"
import { hasLog, onLog } from "./openLog.ts"
import { ownerOf } from "./owner.ts"
import { answer, writeOut } from "./report.ts"
import { Service } from "./Service.ts"
import { Signals } from "./Signals.ts"
import { serviceFailure } from "./serviceFailure.ts"
import { overNetwork, speaking } from "./speakTo.ts"
import { isTerminal, styleOf } from "./terminal.ts"
import { type TopView, topLines } from "./topLines.ts"
import { rowsOf, type Sample, type Sorting, sortings } from "./topRows.ts"
import { sampleOfLog, sampleOfService } from "./topSample.ts"

/** Between two looks. */
const every = "1 second"

interface Options {
  readonly once: boolean
  readonly sort: Sorting
}

export const watchAll = Effect.fnUntraced(function* (options: Options) {
  const asked = yield* (yield* Signals).drain
  const watch =
    options.once || (yield* Json) || !isTerminal(process.stdout) ? printOnce(options) : draw(options)
  yield* Effect.raceFirst(onEither(watch), Effect.asVoid(asked))
})

type Look = Effect.Effect<Sample, unknown>

/** A service that was named or holds the folder is asked; else the log is read, whoever is writing it. */
const onEither = <A, E, R>(watch: (look: Look, place: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const place = yield* logPlace
    const isHeld =
      place._tag === "Folder" &&
      hasLog(place.directory) &&
      (yield* ownerOf(place.directory))?.address === null
    const whom = isHeld ? undefined : yield* findService
    if (whom?._tag === "Service") {
      const service = yield* overNetwork(whom.url)
      const look = Effect.provideService(sampleOfService, Service, service).pipe(
        Effect.mapError((error) => serviceFailure(error, service))
      )
      return yield* speaking(watch(look, whom.url), service)
    }
    return yield* onLog(
      Effect.flatMap(Effect.context<Effect.Services<typeof sampleOfLog>>(), (context) =>
        watch(Effect.provideContext(sampleOfLog, context), place.name)
      )
    )
  })

const printOnce = (options: Options) =>
  Effect.fnUntraced(function* (look: Look, place: string) {
    const before = yield* look
    yield* Effect.sleep(every)
    const rows = rowsOf(before, yield* look)
    yield* answer("top", { pipelines: rows }, () =>
      topLines(
        { place, rows, sorting: options.sort, isTurned: false, stale: null },
        { columns: Number.POSITIVE_INFINITY, lines: Number.POSITIVE_INFINITY },
        styleOf(process.stdout)
      )
    )
  })

const enter = "\u001b[?1049h\u001b[?25l"
const leave = "\u001b[?25h\u001b[?1049l"

/** The other screen of the terminal, which is left whatever ends the process. */
const otherScreen = Effect.acquireRelease(
  Effect.sync(() => {
    const back = () => void process.stdout.write(leave)
    process.once("exit", back)
    process.stdout.write(enter)
    return back
  }),
  (back) =>
    Effect.sync(() => {
      process.off("exit", back)
      back()
    })
)

const draw = (options: Options) =>
  Effect.fnUntraced(function* (look: Look, place: string) {
    // Whoever cannot be reached at all is told so on the screen there is.
    let now = yield* look
    let before: Sample | undefined
    let stale: TopView["stale"] = null
    let seenAt = yield* Clock.currentTimeMillis
    let sorting = options.sort
    let isTurned = false
    yield* otherScreen
    const show = Effect.suspend(() => {
      const { columns, rows: lines } = process.stdout
      const view = { place, rows: rowsOf(before, now), sorting, isTurned, stale }
      const told = topLines(
        view,
        { columns: columns ?? 80, lines: (lines ?? 24) - 1 },
        styleOf(process.stdout)
      )
      return writeOut(`\u001b[H${told.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`)
    })
    const redraw = () => void Effect.runFork(show)
    const ended = yield* openKeys({
      s: () => {
        sorting = sortings[(sortings.indexOf(sorting) + 1) % sortings.length]!
        redraw()
      },
      r: () => {
        isTurned = !isTurned
        redraw()
      }
    })
    const turn = Effect.gen(function* () {
      yield* show
      yield* Effect.sleep(every)
      const next = yield* Effect.result(look)
      const at = yield* Clock.currentTimeMillis
      if (next._tag === "Success") {
        before = now
        now = next.success
        stale = null
        seenAt = at
      } else stale = { ageMs: Math.max(0, at - seenAt), why: failureOf(next.failure).message }
    })
    yield* Effect.raceFirst(Effect.forever(turn), ended)
  }, Effect.scoped)
