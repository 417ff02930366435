/**
 * What came of tests, for people and for programs.
 *
 * @module
 */
import type { Difference } from "../pipeline/rehearse/differences.ts"
import type { TestResult } from "../pipeline/rehearse/runTest.ts"
import type { RanFile, RanTest } from "./runTests.ts"
import { cut, plural, type Style, shown } from "./terminal.ts"

/** Differences told of one sink, and characters of one record; the rest is counted. */
const differencesMost = 20
const recordMost = 160
/** The same for programs. */
const differencesMostJson = 1000

/** The tests of one file: a line each, and below those that failed what differs. */
export const testLines = ({ path, ran }: RanFile, style: Style): ReadonlyArray<string> =>
  ran.length === 0 ? [] : [style.bold(shown(path)), ...ran.flatMap((test) => linesOf(test, style))]

const linesOf = ({ error, name, result }: RanTest, style: Style): ReadonlyArray<string> => {
  if (result === undefined) {
    return [style.red(`✗ ${shown(name)}`), `    ${error!.code}: ${shown(error!.message)}`]
  }
  if (result.isPassed) return [`${style.green("✓")} ${shown(name)}`]
  const { rehearsed } = result
  return [
    style.red(`✗ ${shown(name)}`),
    ...Object.entries(result.sinks).flatMap(([sink, found]) =>
      listLines(shown(sink), found, rehearsed.sinks[sink]?.length ?? 0, style)
    ),
    ...listLines("dead letters", result.deadLetters, rehearsed.deadLetters.length, style),
    ...endLines(result)
  ].map((line, index) => (index === 0 ? line : `    ${line}`))
}

const endLines = ({ end, rehearsed }: TestResult): ReadonlyArray<string> => {
  if (end === null) return []
  const { failure } = rehearsed
  const expected = end.expected === null ? "to come to its end" : `to fail with ${shown(end.expected)}`
  const got = failure === null ? "came to its end" : `failed: ${failure.code}, ${shown(failure.message)}`
  return [`the run was expected ${expected}, and ${got}`]
}

const listLines = (
  title: string,
  found: ReadonlyArray<Difference>,
  got: number,
  style: Style
): ReadonlyArray<string> => {
  if (found.length === 0) return []
  const expected =
    got +
    found.filter(({ kind }) => kind === "missing").length -
    found.filter(({ kind }) => kind === "unexpected").length
  const counts =
    expected === got ? `${plural(got, "record")}` : `${plural(expected, "record")} expected, ${got} came`
  const told = found.slice(0, differencesMost).flatMap((each) => differenceLines(each, style))
  const rest = found.length - differencesMost
  return [
    `${title}: ${counts}`,
    ...told.map((line) => `  ${line}`),
    ...(rest > 0 ? [style.dim(`  … and ${plural(rest, "more difference")}`)] : [])
  ]
}

/** The places of records count from 1, as people do; those of `--json` from 0. */
const differenceLines = (of: Difference, style: Style): ReadonlyArray<string> => {
  switch (of.kind) {
    case "missing":
      return [style.red(`- ${of.at + 1}: missing     ${json(of.expected)}`)]
    case "unexpected":
      return [style.green(`+ ${of.index + 1}: unexpected  ${json(of.got)}`)]
    case "differs": {
      const width = Math.max(...of.fields.map(({ pointer }) => fieldName(pointer).length))
      return [
        `~ ${of.index + 1}: differs     ${style.dim(json(of.got))}`,
        ...of.fields.flatMap((field) => {
          const name = fieldName(field.pointer)
          return [
            style.red(`    ${name.padEnd(width)}  expected ${side(field, "expected")}`),
            style.green(`    ${" ".repeat(width)}  got      ${side(field, "got")}`)
          ]
        })
      ]
    }
  }
}

/** A field within a record as people write it; its JSON pointer is for programs. */
const fieldName = (pointer: string): string => {
  const path = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
  return cut(shown(path.length === 0 ? "the record" : path.join(".")), 40)
}

const side = (field: object, member: "expected" | "got"): string =>
  Object.hasOwn(field, member)
    ? json((field as Record<string, unknown>)[member])
    : "nothing: there is no such field"

const json = (value: unknown): string => cut(shown(JSON.stringify(value) ?? "nothing"), recordMost)

/** The same for a program: differences name the sink, or `dead_letters`. */
export const resultJson = (files: ReadonlyArray<RanFile>) => ({
  files: files.map(({ path, pipeline, ran }) => ({
    file: path,
    pipeline: pipeline?.definition?.name ?? null,
    tests: ran.map(testJson)
  }))
})

const testJson = ({ error, name, result }: RanTest) => {
  const all =
    result === undefined
      ? []
      : [
          ...Object.entries(result.sinks).flatMap(([sink, found]) =>
            found.map((each) => ({ in: sink, ...each }))
          ),
          ...result.deadLetters.map((each) => ({ in: "dead_letters", ...each }))
        ]
  const counts = result?.rehearsed.counts
  return {
    name,
    ok: result?.isPassed === true,
    read: counts?.read ?? 0,
    filtered: counts?.filtered ?? 0,
    unrouted: counts?.unrouted ?? 0,
    dead_lettered: counts?.lettered ?? 0,
    applied: counts?.applied ?? {},
    failure: result?.rehearsed.failure ?? null,
    end: result?.end ?? null,
    differences: all.slice(0, differencesMostJson),
    differences_left_out: Math.max(0, all.length - differencesMostJson),
    error: error ?? null
  }
}
