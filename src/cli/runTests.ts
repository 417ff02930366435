/**
 * The work behind `millrace test`.
 *
 * @module
 */
import { Cause, Effect, Exit, Option, Result } from "effect"
import type { Finding } from "../../events/Finding.ts"
import { builtinDrivers } from "../drivers/builtin.ts"
import { runTest, type TestResult } from "../pipeline/rehearse/runTest.ts"
import { CliFailure, failureOf } from "./CliFailure.ts"
import { combined, exitCode } from "./exitCode.ts"
import { Json } from "./globalFlags.ts"
import { findingJson, findingsOf } from "./pipelineFiles.ts"
import { answer, findingLines, say, writeOut } from "./report.ts"
import { grouped, plural, styleOf } from "./terminal.ts"
import { findTestFiles, type ReadTests, readTests } from "./testFiles.ts"
import { resultJson, testLines } from "./testLines.ts"

interface Options {
  readonly files: ReadonlyArray<string>
  readonly filter: Option.Option<string>
}

/** What came of one test: its result, or why there is none. */
export interface RanTest {
  readonly name: string
  readonly result: TestResult | undefined
  readonly error: { readonly code: string; readonly message: string } | undefined
}

export interface RanFile extends ReadTests {
  readonly ran: ReadonlyArray<RanTest>
}

interface NotFound {
  readonly path: string
  readonly finding: Finding
}

export const runTests = Effect.fnUntraced(function* ({ files, filter }: Options) {
  const drivers = new Map(builtinDrivers.map((driver) => [driver.name, driver]))
  const paths = new Set<string>()
  const notFound: Array<NotFound> = []
  for (const path of files) {
    const found = findTestFiles(path)
    if (Result.isFailure(found)) notFound.push({ path, finding: found.failure })
    else for (const file of found.success) paths.add(file)
  }
  const wanted = Option.getOrElse(filter, () => "")
  const ran: Array<RanFile> = []
  for (const path of paths) {
    const read = yield* readTests(path, drivers)
    const tests = (read.tests ?? []).filter(({ name }) => name.includes(wanted))
    ran.push({ ...read, ran: yield* Effect.forEach(tests, (test) => runOne(read, test)) })
  }
  yield* tell(ran, notFound, wanted)
})

/** A function that dies ends its test and none of the others. */
const runOne = Effect.fnUntraced(function* (
  { pipeline }: ReadTests,
  test: NonNullable<ReadTests["tests"]>[number]
): Effect.fn.Return<RanTest> {
  const exit = yield* Effect.exit(runTest(pipeline!.definition!, test, pipeline!.functions))
  if (Exit.isSuccess(exit)) return { name: test.name, result: exit.value, error: undefined }
  if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
  const error = Cause.squash(exit.cause)
  const isPlain = error instanceof Error && "_tag" in error && error._tag === "PlanError"
  const { code, message } = isPlain ? { code: "cannot_run", message: error.message } : failureOf(error)
  return { name: test.name, result: undefined, error: { code, message } }
})

const tell = Effect.fnUntraced(function* (
  files: ReadonlyArray<RanFile>,
  notFound: ReadonlyArray<NotFound>,
  wanted: string
) {
  yield* tellFindings(files, notFound)
  const all = files.flatMap(({ ran }) => ran)
  const failed = all.filter(({ result }) => result?.isPassed !== true).length
  const json = { ...resultJson(files), passed: all.length - failed, failed }
  const findings = [
    ...notFound.map(({ finding, path }) => findingJson(path, finding)),
    ...files.flatMap(({ findings, path, pipeline }) => [
      ...findings.map((each) => findingJson(path, each)),
      ...(pipeline?.findings ?? []).map((each) => findingJson(pipeline!.path, each))
    ])
  ]
  const result = { ...json, findings }
  const bad = findings.find(({ severity }) => severity === "error")
  const lines = () => [
    ...files.flatMap((file) => testLines(file, styleOf(process.stdout))),
    ...(all.length === 0 ? [] : ["", summaryOf(all.length, failed)])
  ]
  const isUnmatched = all.length === 0 && bad === undefined
  if (failed === 0 && bad === undefined && !isUnmatched) return yield* answer("test", result, lines)
  if (!(yield* Json))
    yield* writeOut(
      lines()
        .map((line) => `${line}\n`)
        .join("")
    )
  const exit = combined([
    failed > 0 ? exitCode.failed : exitCode.done,
    bad !== undefined || isUnmatched ? exitCode.badInput : exitCode.done
  ])
  if (isUnmatched) {
    const message = `no test has ${JSON.stringify(wanted)} in its name`
    return yield* new CliFailure({ exit, code: "no_tests", message, result })
  }
  if (failed > 0) {
    const message = `${failed} of ${plural(all.length, "test")} failed`
    return yield* new CliFailure({ exit, code: "tests_failed", message, result, told: "person" })
  }
  const { code, message, pointer, suggestion } = bad!
  return yield* new CliFailure({
    exit,
    code,
    message,
    pointer,
    ...(suggestion === null ? {} : { suggestion }),
    result,
    told: "person"
  })
})

/** Of every file by its name: a file of tests and its pipeline are two. */
const tellFindings = Effect.fnUntraced(function* (
  files: ReadonlyArray<RanFile>,
  notFound: ReadonlyArray<NotFound>
) {
  const style = styleOf(process.stderr)
  const lines = [
    ...notFound.flatMap(({ finding }) => findingLines(finding, style)),
    ...files.flatMap((file) => [
      ...findingsOf(file, style, false),
      ...(file.pipeline === undefined ? [] : findingsOf(file.pipeline, style, false))
    ])
  ]
  if (lines.length > 0) yield* say(lines)
})

const summaryOf = (all: number, failed: number): string =>
  `${plural(all, "test")}: ${grouped(all - failed)} passed${failed === 0 ? "" : `, ${grouped(failed)} failed`}`
