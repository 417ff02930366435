/**
 * Defines the pipelines of files that have changed. What is wrong with one file is told, and stops nothing else.
 *
 * @module
 */
import { Cause, Effect, Exit } from "effect"
import { type Definition, encodeDefinition } from "../../events/Definition.ts"
import { isError } from "../../events/Finding.ts"
import { signature } from "../flow/contract/signature.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { failureOf } from "./CliFailure.ts"
import { localUser } from "./localUser.ts"
import { findingJson, findingsOf, readPipelineFiles } from "./pipelineFiles.ts"
import type { ReadFile } from "./ReadFile.ts"
import { failureLines, say } from "./report.ts"
import { styleOf } from "./terminal.ts"

/** How it went: every pipeline of a valid file, and everything that was found. */
export const defineFiles = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  const style = styleOf(process.stderr)
  const read = yield* readPipelineFiles(paths)
  const pipelines: Array<{ readonly name: string; readonly changed: boolean }> = []
  const findings = read.flatMap((file) => file.findings.map((each) => findingJson(file.path, each)))
  for (const file of read) {
    const lines = findingsOf(file, style, false)
    if (lines.length > 0) yield* say(lines)
    if (file.definition === undefined || file.findings.some(isError)) continue
    const exit = yield* Effect.exit(define(file, file.definition))
    if (Exit.isSuccess(exit)) {
      pipelines.push({ name: file.definition.name, changed: exit.value })
      continue
    }
    const failure = failureOf(Cause.squash(exit.cause))
    yield* say([style.bold(file.path), ...failureLines(failure, style)])
    const { code, message, suggestion = null } = failure
    const nowhere = { pointer: "", line: null, column: null, file: file.path }
    findings.push({ severity: "error", code, message, suggestion, ...nowhere })
  }
  return { pipelines, findings }
})

/** Answers whether it was changed. What is deployed, or unfinished, keeps the definition it has. */
const define = Effect.fnUntraced(function* (file: ReadFile, definition: Definition) {
  const { name } = definition
  const pipelines = yield* Pipelines
  yield* pipelines.provide(name, file.functions)
  const by = localUser()
  const id = yield* pipelines.register(name, by)
  const { actor } = yield* pipelines.get(id)
  const before = (yield* actor.state).definition
  const its = signature(definition)
  if (before?.signature === its && before.base === file.base) return false
  yield* actor.send(
    {
      _tag: "Define",
      definition: {
        id,
        name,
        description: definition.description,
        text: file.text,
        settings: {},
        definition: encodeDefinition(definition) as never,
        findings: [],
        signature: its,
        base: file.base
      }
    },
    by
  )
  return true
}, Effect.scoped)
