/**
 * Pipelines that are programs: a TypeScript or JavaScript module whose default export is a pipeline.
 *
 * @module
 */
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { Context, Effect, Result } from "effect"
import { type Finding, finding, isError } from "../../events/Finding.ts"
import { check, encodeYaml } from "../config/PipelineFile.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import { type Functions, noFunctions } from "../flow/Functions.ts"
import * as Pipeline from "../pipeline/Pipeline.ts"
import { provideAll } from "../pipeline/programFunction.ts"
import type { ReadFile } from "./ReadFile.ts"

export const isProgram = (path: string): boolean => /\.[cm]?[jt]s$/.test(path)

/** Loads the module, which runs it. Its stages get no environment: what they need they bring along. */
export const readProgram = (
  path: string,
  base: string,
  drivers: Drivers["Service"]
): Effect.Effect<ReadFile> =>
  Effect.promise(async (): Promise<ReadFile> => {
    const wrong = (...findings: ReadonlyArray<Finding>): ReadFile => ({
      path,
      base,
      text: "",
      definition: undefined,
      functions: noFunctions,
      findings
    })
    let exported: unknown
    try {
      exported = ((await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown }).default
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return wrong(finding("program_failed", [], `${path} cannot be loaded: ${message}`))
    }
    if (!Pipeline.isPipeline(exported)) {
      return wrong(
        finding(
          "not_a_pipeline",
          [],
          `${path} has no pipeline as its default export`,
          "export default Pipeline.make(…)"
        )
      )
    }
    return readPipeline(exported, { path, base: exported.options.base ?? base, drivers })
  })

const readPipeline = (
  pipeline: Pipeline.Any<never>,
  {
    base,
    drivers,
    path
  }: { readonly path: string; readonly base: string; readonly drivers: Drivers["Service"] }
): ReadFile => {
  const functions: Functions = provideAll(pipeline.functions, Context.empty())
  const definition = Pipeline.definition(pipeline)
  if (Result.isFailure(definition)) {
    const found = finding("bad_definition", [], definition.failure.message)
    return { path, base, text: "", definition: undefined, functions, findings: [found] }
  }
  const findings = check(definition.success, { drivers, base })
  const valid = findings.some(isError) ? undefined : definition.success
  return { path, base, text: encodeYaml(definition.success), definition: valid, functions, findings }
}
