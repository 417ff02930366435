/**
 * Pipeline files as commands are given them: read, parsed, and every finding at once.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs"
import { basename, dirname, extname, resolve } from "node:path"
import { Effect } from "effect"
import { type Finding, finding, isError } from "../../events/Finding.ts"
import { nearest } from "../../events/nearest.ts"
import { type Environment, parsePipelineFile } from "../config/PipelineFile.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { noFunctions } from "../flow/Functions.ts"
import { isProgram, readProgram } from "./programFile.ts"
import type { ReadFile } from "./ReadFile.ts"
import { findingLines } from "./report.ts"
import type { Style } from "./terminal.ts"

/** Reads and parses the files; two that define the same pipeline are a finding of the second. */
export const readPipelineFiles = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  const drivers = yield* Drivers
  const names = new Map<string, string>()
  const files = yield* Effect.forEach(paths, (path) => readPipelineFile(path, drivers))
  return files.map((file) => {
    const { path } = file
    const name = file.definition?.name
    if (name === undefined) return file
    const other = names.get(name)
    if (other === undefined) {
      names.set(name, path)
      return file
    }
    const message = `the pipeline ${name} is defined by ${other} as well`
    const twice = finding("duplicate_pipeline", ["name"], message, "give each file a name of its own")
    return { ...file, definition: undefined, findings: [...file.findings, twice] }
  })
})

/** Reads and parses one file; a program is loaded, and thereby run. Variables are those of the process. */
export const readPipelineFile = Effect.fnUntraced(function* (
  path: string,
  drivers: Drivers["Service"],
  environment: Environment = process.env
): Effect.fn.Return<ReadFile> {
  const base = dirname(resolve(path))
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    const findings = [unreadable(path, error)]
    return { path, base, text: "", definition: undefined, functions: noFunctions, findings }
  }
  if (isProgram(path)) return yield* readProgram(path, base, drivers)
  const format = extname(path).toLowerCase() === ".json" ? "json" : "yaml"
  const parsed = parsePipelineFile({ text, path, format, base, drivers, environment })
  const isValid = !parsed.findings.some(isError)
  const definition = isValid ? parsed.definition : undefined
  return { path, base, text, findings: parsed.findings, definition, functions: noFunctions }
})

/** The findings of a file, below its name when there are several files. */
export const findingsOf = (
  { findings, path }: Pick<ReadFile, "findings" | "path">,
  style: Style,
  isAlone: boolean
): ReadonlyArray<string> =>
  findings.length === 0
    ? []
    : [...(isAlone ? [] : [style.bold(path)]), ...findings.flatMap((one) => findingLines(one, style))]

/** A finding as `--json` has it: every member is there, `null` where there is nothing to say. */
export const findingJson = (file: string, found: Finding) => ({
  severity: found.severity,
  code: found.code,
  pointer: found.pointer,
  line: found.line ?? null,
  column: found.column ?? null,
  message: found.message,
  suggestion: found.suggestion ?? null,
  file
})

/** Why a file that was named cannot be read. */
export const unreadable = (path: string, error: unknown): Finding => {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case "ENOENT":
      return finding("file_not_found", [], `${path} does not exist`, sibling(path))
    case "EISDIR":
      return finding("not_a_file", [], `${path} is a folder`, "name the pipeline files in it")
    default:
      return finding("file_unreadable", [], `${path} cannot be read: ${message}`)
  }
}

const sibling = (path: string): string => {
  try {
    const meant = nearest(basename(path), readdirSync(dirname(path)))
    return meant === undefined ? "`millrace new` writes a file to start from" : `did you mean ${meant}?`
  } catch {
    return `the folder ${dirname(path)} does not exist either`
  }
}
