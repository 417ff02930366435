/**
 * Where tests stand, and whose they are: `name.test.yaml` beside `name.yaml` or `name.ts`.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { basename, dirname, extname, join } from "node:path"
import { Effect, Result } from "effect"
import { type Finding, finding, isError } from "../../events/Finding.ts"
import { readDocument } from "../config/document.ts"
import { placed } from "../config/placed.ts"
import type { Drivers } from "../drivers/Drivers.ts"
import { testFindings } from "../pipeline/rehearse/runTest.ts"
import { decodeTests, type Test } from "../pipeline/rehearse/TestFile.ts"
import { readPipelineFile, unreadable } from "./pipelineFiles.ts"
import type { ReadFile } from "./ReadFile.ts"

const testName = /\.test\.(?:ya?ml|json)$/i
const testEndings = [".test.yaml", ".test.yml", ".test.json"]
const pipelineEndings = [".yaml", ".yml", ".json", ".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"]

/** A folder with more tests than this is most likely not the one that was meant. */
const testFilesMost = 10_000

/** The test files that were meant by one argument, or why there are none. */
export const findTestFiles = (path: string): Result.Result<ReadonlyArray<string>, Finding> => {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (isFolder) {
    const files = below(path)
    if (files.length > testFilesMost) {
      return Result.fail(finding("too_large", [], `${path} has more than ${testFilesMost} test files`))
    }
    return files.length > 0
      ? Result.succeed(files)
      : Result.fail(
          finding(
            "no_tests",
            [],
            `there is no test file in ${path}`,
            "the tests of a.yaml are in a.test.yaml"
          )
        )
  }
  if (testName.test(path)) return Result.succeed([path])
  if (!existsSync(path)) return Result.fail(missing(path))
  const stem = path.slice(0, path.length - extname(path).length)
  const files = testEndings.map((ending) => `${stem}${ending}`).filter((file) => existsSync(file))
  return files.length > 0
    ? Result.succeed(files)
    : Result.fail(
        finding(
          "no_tests",
          [],
          `${path} has no tests`,
          `write them into ${basename(stem)}${testEndings[0]} beside it`
        )
      )
}

/** Test files of a folder and those below it, by name; links, hidden folders and node_modules are left out. */
const below = (folder: string): ReadonlyArray<string> => {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  const found: Array<string> = []
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isFile() && testName.test(entry.name)) found.push(path)
    else if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules") {
      found.push(...below(path))
    }
    if (found.length > testFilesMost) break
  }
  return found
}

const missing = (path: string): Finding => {
  try {
    readFileSync(path)
    return finding("file_unreadable", [], `${path} cannot be read`)
  } catch (error) {
    return unreadable(path, error)
  }
}

/** A test file with the pipeline it is about; `tests` only when nothing is wrong with either. */
export interface ReadTests {
  readonly path: string
  readonly pipeline: ReadFile | undefined
  readonly tests: ReadonlyArray<Test> | undefined
  readonly findings: ReadonlyArray<Finding>
}

export const readTests = Effect.fnUntraced(function* (
  path: string,
  drivers: Drivers["Service"]
): Effect.fn.Return<ReadTests> {
  const wrong = (...findings: ReadonlyArray<Finding>): ReadTests => ({
    path,
    pipeline: undefined,
    tests: undefined,
    findings
  })
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    return wrong(unreadable(path, error))
  }
  const of = pipelineOf(path)
  if (of === undefined) {
    const [stem] = basename(path).split(testName)
    const message = `there is no pipeline beside ${path}`
    return wrong(
      finding("no_pipeline", [], message, `it is about ${stem}.yaml, in the folder ${dirname(path)}`)
    )
  }
  const format = path.toLowerCase().endsWith(".json") ? "json" : "yaml"
  const document = readDocument(text, format, null, "A test file")
  const decoded = document.value === undefined ? undefined : decodeTests(document.value)
  if (decoded === undefined || document.findings.some(isError) || Result.isFailure(decoded)) {
    const more = decoded !== undefined && Result.isFailure(decoded) ? decoded.failure : []
    return wrong(...placed([...document.findings, ...more], document.locate))
  }
  const { environment, tests } = decoded.success
  const pipeline = yield* readPipelineFile(of, drivers, { ...process.env, ...environment })
  const { definition } = pipeline
  if (definition === undefined) return { path, pipeline, tests: undefined, findings: [] }
  const names = tests.flatMap((test, index) => testFindings(definition, test, ["tests", index]))
  const findings = placed([...document.findings, ...names], document.locate)
  return { path, pipeline, tests: findings.some(isError) ? undefined : tests, findings }
})

const pipelineOf = (path: string): string | undefined => {
  const stem = path.replace(testName, "")
  return pipelineEndings.map((ending) => `${stem}${ending}`).find((file) => existsSync(file))
}
