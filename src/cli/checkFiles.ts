/**
 * The work behind `millrace check`.
 *
 * @module
 */
import { Effect } from "effect"
import type { Definition } from "../../events/Definition.ts"
import { type Finding, isError } from "../../events/Finding.ts"
import { deadLettersBranch } from "../../events/PipelineEvent.ts"
import { builtinDrivers } from "../drivers/builtin.ts"
import type { Guarantee } from "../drivers/Driver.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { CliFailure } from "./CliFailure.ts"
import { connect } from "./connect.ts"
import { exitCode } from "./exitCode.ts"
import { Json } from "./globalFlags.ts"
import { findingJson, findingsOf, readPipelineFiles } from "./pipelineFiles.ts"
import type { ReadFile } from "./ReadFile.ts"
import { answer, writeOut } from "./report.ts"
import { plural, type Style, shown, styleOf } from "./terminal.ts"

interface Options {
  readonly files: ReadonlyArray<string>
  readonly connect: boolean
}

/** A file, what it promises at its sinks, and whether only its surroundings are to blame. */
interface Checked extends ReadFile {
  readonly sinks: ReadonlyArray<{
    readonly stage: string
    readonly driver: string
    readonly guarantee: Guarantee
  }>
  readonly isUnreachable: boolean
}

export const checkFiles = Effect.fnUntraced(
  function* (options: Options) {
    const files: Array<Checked> = []
    for (const file of yield* readPipelineFiles(options.files)) {
      const connected =
        options.connect && file.definition !== undefined
          ? yield* connect(file.definition, file.base)
          : { findings: [], isUnreachable: false }
      files.push({
        ...file,
        findings: [...file.findings, ...connected.findings],
        isUnreachable: connected.isUnreachable,
        sinks: file.definition === undefined ? [] : sinksOf(file.definition, yield* Drivers)
      })
    }
    const result = resultOf(files)
    const first = files.flatMap(({ findings }) => findings).find(isError)
    const lines = () => files.flatMap((file) => linesOf(file, files.length === 1, styleOf(process.stdout)))
    if (first === undefined) return yield* answer("check", result, lines)
    if (!(yield* Json)) yield* writeOut(`${lines().join("\n")}\n`)
    return yield* failure(first, files, result)
  },
  Effect.provide(Drivers.layer(builtinDrivers))
)

const failure = (
  { code, message, pointer, suggestion }: Finding,
  files: ReadonlyArray<Checked>,
  result: unknown
) =>
  new CliFailure({
    exit: files.every((file) => file.isUnreachable || !file.findings.some(isError))
      ? exitCode.environment
      : exitCode.badInput,
    code,
    message,
    pointer,
    ...(suggestion === undefined ? {} : { suggestion }),
    result,
    told: "person"
  })

const resultOf = (files: ReadonlyArray<Checked>) => ({
  findings: files.flatMap(({ findings, path }) => findings.map((each) => findingJson(path, each))),
  files: files.map(({ definition, findings, path, sinks }) => ({
    file: path,
    name: definition?.name ?? null,
    ok: !findings.some(isError),
    sinks
  }))
})

const sinksOf = ({ deadLetters, stages }: Definition, drivers: Drivers["Service"]): Checked["sinks"] =>
  [...Object.entries(stages), [deadLettersBranch, deadLetters] as const].flatMap(([stage, { sink }]) => {
    const driver = sink === undefined ? undefined : drivers.get(sink.use)
    return driver === undefined ? [] : [{ stage, driver: driver.name, guarantee: driver.guarantee }]
  })

const promises: Readonly<Record<Guarantee, string>> = {
  effectively_once: "effectively once: nothing lost, nothing doubled, whatever is killed",
  effectively_once_if_repeatable: "effectively once, as long as the same records give the same results",
  at_least_once: "at least once: nothing lost, but a resumed run may deliver again"
}

const linesOf = (file: Checked, isAlone: boolean, style: Style): ReadonlyArray<string> => {
  const findings = findingsOf(file, style, isAlone)
  if (file.definition === undefined || file.findings.some(isError)) return findings
  const stages = Object.keys(file.definition.stages).length
  return [
    ...findings,
    `${style.green("✓")} ${shown(file.path)}: ${shown(file.definition.name)}, ${plural(stages, "stage")}`,
    ...file.sinks.map(({ guarantee, stage }) => `  ${stage}: ${promises[guarantee]}`)
  ]
}
