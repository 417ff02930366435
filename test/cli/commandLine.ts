/**
 * The real command line for tests of one verb: a folder, a few files, and what was answered.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert } from "vitest"
import { type Outcome, run } from "../process/CommandLine.ts"

/** Writes files below a folder; a text is written as it is, a list as NDJSON. */
export const write = (
  folder: string,
  files: Readonly<Record<string, string | ReadonlyArray<unknown>>>
): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    const text =
      typeof content === "string" ? content : content.map((record) => `${JSON.stringify(record)}\n`).join("")
    writeFileSync(join(folder, path), text)
  }
}

/** NDJSON → filter → NDJSON, in as few lines as it takes. */
export const pipeline = (name: string, more = ""): string => `name: ${name}
stages:
  in: { source: { use: file, path: in.ndjson } }
  late: { from: in, filter: record.delay > 60 }
  store: { from: late, sink: { use: file, path: out/${name}.ndjson } }
${more}`

/** `count` records, every tenth of them late. */
export const records = (count: number): ReadonlyArray<unknown> =>
  Array.from({ length: count }, (_, id) => ({ id, delay: id % 10 === 0 ? 90 : 10 }))

export interface Answered extends Outcome {
  // The shape is what the tests are about.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly json: any
}

/** Runs with --json and parses the one object; anything else on stdout fails the test. */
export const ask = async (folder: string, ...args: ReadonlyArray<string>): Promise<Answered> => {
  const outcome = await run(folder, ...args, "--json")
  assert.match(outcome.stdout, /^\{[^\n]*\}\n$/, `one object on one line, stderr: ${outcome.stderr}`)
  const json = JSON.parse(outcome.stdout)
  assert.sameMembers(Object.keys(json), ["ok", "command", "result", "error"])
  assert.equal(json.ok, outcome.code === 0)
  assert.equal(json.error === null, json.ok)
  return { ...outcome, json }
}

/** No escape code, no control character but the line break. */
export const assertPlain = (text: string): void => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.notMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
}
