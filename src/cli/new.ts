/**
 * `millrace new`: a pipeline file to start from.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { basename, dirname, extname } from "node:path"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { answer } from "./report.ts"
import { type TemplateName, template, templateNames } from "./templates.ts"
import { shown, styleOf } from "./terminal.ts"

const newFile = Command.make(
  "new",
  {
    template: Argument.Literals("template", templateNames).pipe(
      Argument.withDescription("What to start from; generator needs no data to run"),
      Argument.withDefault("generator" as const)
    ),
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("The file to write, - for stdout; <template>.yaml when absent. Never overwrites"),
      Flag.withMetavar("<file>"),
      Flag.optional
    )
  },
  ({ out, template }) =>
    writeTemplate(
      template,
      Option.getOrElse(out, () => `${template}.yaml`)
    )
).pipe(
  Command.withDescription("Write a commented pipeline file to start from"),
  Command.withExamples([
    { command: "millrace new", description: "generator.yaml, which runs as it is" },
    { command: "millrace new csv --out readings.yaml", description: "From a CSV file, under another name" }
  ])
)

export { newFile as new }

const writeTemplate = Effect.fnUntraced(function* (of: TemplateName, out: string) {
  const { needs, text } = template(of, out === "-" ? of : nameFrom(out, of))
  if (out === "-") return yield* answer("new", { path: null, template: of, text }, () => [text.trimEnd()])
  yield* Effect.try({ try: () => write(out, text), catch: (error) => refusal(out, error) })
  yield* answer("new", { path: out, template: of }, () => {
    const { dim, green } = styleOf(process.stdout)
    return [
      `${green("✓")} wrote ${shown(out)}`,
      ...(needs === undefined ? [] : [`  It reads ${needs}.`]),
      `  ${dim("→")} millrace check ${shown(out)}`,
      `  ${dim("→")} millrace run ${shown(out)}`
    ]
  })
})

/** The file's own name where that is a name for a pipeline. */
const nameFrom = (path: string, otherwise: string): string =>
  basename(path, extname(path))
    .replace(/[^a-zA-Z0-9_-]+/g, "-")
    .slice(0, 100) || otherwise

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  // wx: two that write at once cannot overwrite each other either.
  writeFileSync(path, text, { flag: "wx" })
}

const refusal = (path: string, error: unknown): CliFailure => {
  const { code, message } = error as NodeJS.ErrnoException
  return code === "EEXIST"
    ? new CliFailure({
        exit: exitCode.badInput,
        code: "file_exists",
        message: `${path} exists, and nothing is overwritten`,
        suggestion: "name another file with --out"
      })
    : new CliFailure({
        exit: exitCode.environment,
        code: "file_unwritable",
        message: `${path} cannot be written: ${message}`
      })
}
