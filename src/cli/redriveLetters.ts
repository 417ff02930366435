/**
 * The work behind `millrace dead-letters … redrive`: letters are tried again by whoever has the log, which is this
 * process where nobody has it.
 *
 * @module
 */
import { Effect, Option } from "effect"
import type { RedriveDryRun, RedrivePayload, RequestedRedrive } from "../api/redrives.ts"
import { pageMost } from "../api/values.ts"
import { awaitRedrive, type Waited } from "./awaitRedrive.ts"
import { CliFailure } from "./CliFailure.ts"
import { codeOfRun, exitCode, signalCode } from "./exitCode.ts"
import { Json } from "./globalFlags.ts"
import { bad, choiceOf, type Named, onBench } from "./letterChoice.ts"
import { editsOf, setOf } from "./letterEdits.ts"
import { type Came, dryRunLines, none, plus, redriveLines, requestedLines } from "./redriveLines.ts"
import { answer, writeOut } from "./report.ts"
import { onService, Service } from "./Service.ts"
import { Signals } from "./Signals.ts"
import { grouped, plural, styleOf } from "./terminal.ts"

interface Options extends Named {
  readonly limit: Option.Option<number>
  readonly after: Option.Option<string>
  readonly edit: ReadonlyArray<string>
  readonly set: ReadonlyArray<string>
  readonly rate: Option.Option<number>
  readonly dryRun: boolean
  readonly noWait: boolean
  readonly reason: Option.Option<string>
}

export const redriveLetters = Effect.fnUntraced(function* (options: Options) {
  const { dryRun, name, noWait } = options
  // Whatever is wrong with what was typed is said before anything is opened.
  const payload = yield* payloadOf(options)
  const ask = Effect.fnUntraced(function* (more: Partial<RedrivePayload>) {
    const { client } = yield* Service
    return yield* client.deadLetters.redriveDeadLetters({
      params: { name },
      headers: {},
      payload: { ...payload, ...more }
    })
  })
  const act = dryRun ? tellDryRun(name, ask) : noWait ? tellRequested(name, ask) : redriveAll(name, ask)
  return yield* onService(onBench(name, act))
})

const payloadOf = Effect.fnUntraced(function* (options: Options) {
  const { after, dryRun, limit, rate, reason } = options
  if (Option.isSome(limit) && !dryRun) {
    return yield* bad(
      "usage",
      "--limit is for a dry run",
      "name the letters to redrive by their ids or filters"
    )
  }
  const edits = yield* editsOf(options.edit)
  const set = yield* setOf(options.set)
  const letters = yield* choiceOf(options, Object.keys(edits))
  const payload: RedrivePayload = {
    letters,
    ...(options.edit.length === 0 ? {} : { edits }),
    ...(options.set.length === 0 ? {} : { set }),
    ...Option.match(after, { onNone: () => ({}), onSome: (after) => ({ after }) }),
    ...Option.match(rate, { onNone: () => ({}), onSome: (rate) => ({ rate }) }),
    ...Option.match(reason, { onNone: () => ({}), onSome: (reason) => ({ reason }) }),
    ...(dryRun
      ? {
          dry_run: true,
          limit: Math.min(
            pageMost,
            Option.getOrElse(limit, () => 100)
          )
        }
      : {})
  }
  return payload
})

type Ask<E, R> = (more: Partial<RedrivePayload>) => Effect.Effect<RedriveDryRun | RequestedRedrive, E, R>

const tellDryRun = Effect.fnUntraced(function* <E, R>(name: string, ask: Ask<E, R>) {
  const found = yield* ask({})
  if (!("dry_run" in found)) return
  yield* answer("dead-letters", found, () => dryRunLines(found, name, styleOf(process.stdout)))
})

const tellRequested = Effect.fnUntraced(function* <E, R>(name: string, ask: Ask<E, R>) {
  const requested = yield* ask({})
  if ("dry_run" in requested) return
  const { url } = yield* Service
  const result = { dry_run: false, waited: false, ...requested }
  yield* answer("dead-letters", result, () => requestedLines(requested, name, url !== null))
})

/** As many at a time as may be open, each lot when the one before is settled. */
const redriveAll = Effect.fnUntraced(function* <E, R>(name: string, ask: Ask<E, R>) {
  const drain = yield* (yield* Signals).drain
  let came: Came = none
  let next: string | undefined
  let waited: Waited | undefined
  do {
    const requested = yield* ask(next === undefined ? {} : { after: next })
    if ("dry_run" in requested || requested.redrive === null) break
    waited = yield* awaitRedrive(name, requested, drain)
    came = plus(came, waited, requested.redrive)
    next = requested.next ?? undefined
  } while (next !== undefined && waited.end === "settled")
  const { signal, ...failure } = failureOf(name, came, waited, (yield* Signals).received())
  const result = { dry_run: false, waited: true, ...came }
  const lines = redriveLines(came, name, styleOf(process.stdout))
  if (failure.code === undefined) return yield* answer("dead-letters", result, () => lines)
  if (!(yield* Json)) yield* writeOut(`${lines.join("\n")}\n`)
  return yield* new CliFailure({ ...failure, code: failure.code, exit: signal ?? failure.exit, result })
})

interface Failed {
  readonly code?: string
  readonly exit: number
  readonly message: string
  readonly suggestion?: string
  readonly signal?: number
}

const failureOf = (
  name: string,
  came: Came,
  waited: Waited | undefined,
  received: keyof typeof signalCode | undefined
): Failed => {
  const { nacked, open, requested } = came
  const again =
    "run the same command again: what is open goes on; `millrace run` and `millrace serve` go on with it too"
  if (waited?.end === "interrupted" && received !== undefined) {
    const message = `${plural(open, "letter")} of ${grouped(requested)} ${open === 1 ? "is" : "are"} not through`
    return { code: "interrupted", exit: 1, signal: signalCode[received], message, suggestion: again }
  }
  if (waited?.end === "stalled" && waited.stalled !== null) {
    const { code, message, suggestion = again } = waited.stalled
    const left = `${plural(open, "letter")} wait${open === 1 ? "s" : ""}: ${message}`
    return { code, exit: codeOfRun(code), message: left, suggestion }
  }
  if (nacked > 0) {
    return {
      code: "nacked_again",
      exit: exitCode.failed,
      message: `${plural(nacked, "letter")} of ${grouped(requested)} could not be handled this time either`,
      suggestion: `\`millrace dead-letters ${name} group\` tells why`
    }
  }
  return { exit: exitCode.done, message: "" }
}
