/**
 * The one pipeline file that is to be deployed: read, without errors, and not a program.
 *
 * @module
 */
import { isAbsolute } from "node:path"
import { Effect } from "effect"
import { type Definition, encodeDefinition } from "../../events/Definition.ts"
import { type Finding, finding, isError } from "../../events/Finding.ts"
import { encodeYaml, parsePipelineFile } from "../config/PipelineFile.ts"
import { builtinDrivers } from "../drivers/builtin.ts"
import { canonical } from "../flow/contract/Contract.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { findingJson, findingsOf, readPipelineFile } from "./pipelineFiles.ts"
import { isProgram } from "./programFile.ts"
import type { ReadFile } from "./ReadFile.ts"
import { say } from "./report.ts"
import { styleOf } from "./terminal.ts"

export type DeployableFile = ReadFile & {
  readonly definition: Definition
  /**
   * What is sent: the text itself, unless it holds variables. Nobody else has this environment, so their values
   * go in their place.
   */
  readonly program: string
}

/** Findings are told; errors among them, and programs, fail with exit code 2. */
export const readDeployable = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<DeployableFile, CliFailure> {
  if (isProgram(path)) return yield* programNotDeployable(path)
  const file = yield* readPipelineFile(path, new Map(builtinDrivers.map((driver) => [driver.name, driver])))
  const lines = findingsOf(file, styleOf(process.stderr), true)
  if (lines.length > 0) yield* say(lines)
  const { definition } = file
  if (definition !== undefined) {
    const program = usesVariables(file.text, definition) ? encodeYaml(definition) : file.text
    return { ...file, definition, program }
  }
  const { code, message, pointer, suggestion } = file.findings.find(isError)!
  return yield* new CliFailure({
    exit: exitCode.badInput,
    code,
    message,
    pointer,
    ...(suggestion === undefined ? {} : { suggestion }),
    result: { findings: file.findings.map((each) => findingJson(path, each)) },
    told: "person"
  })
})

const usesVariables = (text: string, definition: Definition): boolean => {
  const alone = parsePipelineFile({ text, environment: {} }).definition
  return alone === undefined || canonical(encodeDefinition(alone)) !== canonical(encodeDefinition(definition))
}

/** Findings that the file has because somebody else is to run it. `isFolderKept`: paths mean the same there. */
export const findingsElsewhere = (file: DeployableFile, isFolderKept: boolean): ReadonlyArray<Finding> => [
  ...(file.program === file.text ? [] : [resolvedHere]),
  ...(isFolderKept ? [] : relativePaths(file.definition))
]

const resolvedHere: Finding = {
  ...finding(
    "variables_resolved_here",
    [],
    "the file uses variables: the values they have here are deployed in their place, and its comments are not"
  ),
  severity: "warning"
}

/** A service has the text of the file and not its folder: what is relative resolves against its own. */
const relativePaths = ({ stages }: Definition): ReadonlyArray<Finding> =>
  Object.entries(stages).flatMap(([name, stage]) =>
    (["source", "lookup", "sink"] as const).flatMap((kind) => {
      const path = stage[kind]?.path
      return typeof path === "string" && !isAbsolute(path) ? [elsewhere(name, kind, path)] : []
    })
  )

const elsewhere = (stage: string, kind: string, path: string): Finding => ({
  ...finding(
    "relative_path",
    ["stages", stage, kind, "path"],
    `${path} resolves against the folder of the service, not of this file`,
    "an absolute path means the same everywhere"
  ),
  severity: "warning"
})

const programNotDeployable = (path: string): CliFailure =>
  new CliFailure({
    exit: exitCode.badInput,
    code: "program_not_deployable",
    message: `${path} is a program, and its functions cannot be sent`,
    suggestion: "run it with `millrace run`, or start it as a program of its own"
  })
