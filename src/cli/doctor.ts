/**
 * `millrace doctor`: is everything there that a run will need?
 *
 * @module
 */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { CliFailure } from "./CliFailure.ts"
import type { Diagnosis } from "./diagnose.ts"
import { exitCode } from "./exitCode.ts"
import { DataDirectory, Json } from "./globalFlags.ts"
import { answer, writeOut } from "./report.ts"
import { type Style, styleOf } from "./terminal.ts"

export const doctor = Command.make("doctor", {}, () =>
  Effect.gen(function* () {
    const { diagnose } = yield* Effect.promise(() => import("./diagnose.ts"))
    const checks = yield* diagnose(yield* DataDirectory)
    const lines = () => checks.flatMap((check) => linesOf(check, styleOf(process.stdout)))
    const failed = checks.find(({ status }) => status === "error")
    if (failed === undefined) return yield* answer("doctor", { checks }, lines)
    if (!(yield* Json)) yield* writeOut(`${lines().join("\n")}\n`)
    const { message, suggestion } = failed
    return yield* new CliFailure({
      exit: exitCode.environment,
      code: "unhealthy",
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
      result: { checks },
      told: "person"
    })
  })
).pipe(
  Command.withDescription(
    "Check Node, SQLite, the data directory, its lock, free disk, the clock and the drivers"
  ),
  Command.withExamples([
    { command: "millrace doctor", description: "Before the first run, or when one fails oddly" }
  ])
)

const linesOf = ({ message, name, status, suggestion }: Diagnosis, style: Style): ReadonlyArray<string> => {
  const mark = { ok: style.green("✓"), warning: style.yellow("!"), error: style.red("✗") }[status]
  const advice = suggestion === undefined ? [] : [`  ${style.dim("→")} ${suggestion}`]
  return [`${mark} ${name}: ${message}`, ...advice]
}
