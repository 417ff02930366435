/**
 * The only way out: answers and JSON on stdout, everything else on stderr.
 *
 * @module
 */
import { Effect } from "effect"
import type { Finding } from "../../events/Finding.ts"
import type { CliFailure } from "./CliFailure.ts"
import { Json } from "./globalFlags.ts"
import { type Style, shown, styleOf } from "./terminal.ts"

/** Writes to stdout and waits until the reader has taken it: a slow reader slows the command. */
export const writeOut = (text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (process.stdout.write(text)) return resume(Effect.void)
    const done = () => resume(Effect.void)
    process.stdout.once("drain", done)
    return Effect.sync(() => process.stdout.off("drain", done))
  })

/** Writes to stderr; nobody waits for its reader. */
export const writeErr = (text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    process.stderr.write(text)
  })

/** A line or several for the person. */
export const say = (lines: string | ReadonlyArray<string>): Effect.Effect<void> =>
  writeErr(`${typeof lines === "string" ? lines : lines.join("\n")}\n`)

/** Answers a command: one JSON object, or lines for a person. */
export const answer = Effect.fnUntraced(function* (
  command: string,
  result: unknown,
  lines: () => ReadonlyArray<string>
) {
  if (yield* Json) return yield* writeOut(envelope(command, result, undefined))
  const text = lines()
  if (text.length > 0) yield* writeOut(`${text.join("\n")}\n`)
})

/** Tells a failure: to a program as the one object on stdout, to a person on stderr. */
export const tellFailure = Effect.fnUntraced(function* (
  command: string | null,
  failure: CliFailure,
  json: boolean
) {
  if (failure.told === "everybody") return
  if (json) yield* writeOut(envelope(command, failure.result ?? null, failure))
  else if (failure.told === undefined) yield* say(failureLines(failure, styleOf(process.stderr)))
})

/** The one object of `--json`, on one line. */
export const envelope = (command: string | null, result: unknown, failure: CliFailure | undefined): string =>
  `${JSON.stringify({ ok: failure === undefined, command, result, error: errorBody(failure) })}\n`

/** The `error` of the one object. */
export const errorBody = (failure: CliFailure | undefined) =>
  failure === undefined
    ? null
    : {
        code: failure.code,
        message: failure.message,
        ...(failure.pointer === undefined ? {} : { pointer: failure.pointer }),
        ...(failure.suggestion === undefined ? {} : { suggestion: failure.suggestion })
      }

/** `✗ code  pointer`, the message, the suggestion. */
export const failureLines = (
  { code, message, pointer, suggestion }: Pick<CliFailure, "code" | "message" | "pointer" | "suggestion">,
  style: Style
): ReadonlyArray<string> => [
  style.red(`✗ ${code}${pointer === undefined || pointer === "" ? "" : `  ${shown(pointer)}`}`),
  ...indented(message),
  ...advice(suggestion, style)
]

/** A finding with its place, its message and what to do about it. */
export const findingLines = (finding: Finding, style: Style): ReadonlyArray<string> => {
  const place = finding.line === undefined ? "" : ` (${finding.line}:${finding.column ?? 1})`
  const head = `${finding.code}${finding.pointer === "" ? "" : `  ${shown(finding.pointer)}`}${place}`
  return [
    finding.severity === "error" ? style.red(`✗ ${head}`) : style.yellow(`! ${head}`),
    ...indented(finding.message),
    ...advice(finding.suggestion, style)
  ]
}

const indented = (text: string): ReadonlyArray<string> => text.split("\n").map((line) => `  ${shown(line)}`)

const advice = (suggestion: string | undefined, style: Style): ReadonlyArray<string> =>
  suggestion === undefined ? [] : suggestion.split("\n").map((line) => `  ${style.dim("→")} ${shown(line)}`)
