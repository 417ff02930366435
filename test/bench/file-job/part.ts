/**
 * The job most pipelines do: a million rows of a file, filtered, enriched, shaped, into another file.
 *
 * @module
 */
import { createHash } from "node:crypto"
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { alternate } from "../alternate.ts"
import { rowOf } from "../comparison.ts"
import { commandLine, type Measured, measureProcess, pathOf } from "../measured.ts"
import type { Given, Part, Row, Section } from "../Part.ts"
import { writeFlights } from "./flights.ts"

const handwritten = pathOf("./handwritten.ts", import.meta.url)
const program = pathOf("./program.ts", import.meta.url)
const expressions = pathOf("./expressions.yaml", import.meta.url)

const run = async (given: Given): Promise<Section> => {
  const rows = given.quick ? 20_000 : 1_000_000
  const folder = join(given.folder, "file-job")
  mkdirSync(folder)
  writeFlights(folder, rows)
  copyFileSync(expressions, join(folder, "expressions.yaml"))
  installProgram(folder)

  const ours = (file: string) => async () => {
    // A log of its own for each run: the first run of a new installation.
    rmSync(join(folder, ".millrace"), { recursive: true, force: true })
    const measured = await measureProcess([commandLine, "run", file], { folder })
    return measured
  }
  const byHand = () => measureProcess([handwritten], { folder })
  const samples = await alternate(
    { byHand, program: ours("program.ts"), again: byHand, expressions: ours("expressions.yaml") },
    { rounds: given.quick ? 1 : 5 }
  )
  const same = await compareOutputs(folder)
  const control = [samples.again, samples.byHand] as const
  const table = (caption: string, of: (measured: Measured) => number, asked?: readonly [string, string]) => ({
    caption,
    rows: (["program", "expressions"] as const).map(
      (side): Row =>
        rowOf({
          what: side === "program" ? "stages in TypeScript" : "stages in CEL (pipeline file)",
          ours: samples[side].map(of),
          theirs: samples.byHand.map(of),
          control: [control[0].map(of), control[1].map(of)],
          ...(asked === undefined ? {} : { asked: asked[side === "program" ? 0 : 1] })
        })
    )
  })
  return {
    text: `${rows.toLocaleString("en")} NDJSON rows through a filter (two thirds stay), a lookup of 300 airports and a map, into NDJSON: whole processes, from start to exit. The other side is a hand-written Node script that streams, parses, looks up in a \`Map\`, and calls \`fdatasync\` once a second and at the end, as checkpoints do. It keeps no log and no place, checks no contract, and knows no dead letters; ours does all of that. Ours is the built package.`,
    tables: [
      table("Rows a second (more is better)", ({ wallMs }) => (rows / wallMs) * 1000, [
        "ratio ≥ 0.7",
        "ratio ≥ 0.5"
      ]),
      table("CPU seconds, all threads (less is better)", ({ cpuMs }) => cpuMs / 1000),
      table("Most memory ever, MiB (less is better)", ({ rssMiB }) => rssMiB)
    ],
    notes: [same]
  }
}

/** The program in a folder of its own, with the built package in place of the sources: as one who installed it has it. */
const installProgram = (folder: string): void => {
  const library = new URL("../../../dist/src/index.js", import.meta.url).href
  const text = readFileSync(program, "utf8").replace("../../../src/index.ts", library)
  writeFileSync(join(folder, "program.ts"), text)
  symlinkSync(new URL("../../../node_modules", import.meta.url), join(folder, "node_modules"))
}

/** Three ways to one file, or the figures mean nothing. */
const compareOutputs = async (folder: string): Promise<string> => {
  const outputs = ["handwritten", "program", "expressions"].map((name) => join(folder, `${name}.ndjson`))
  const digests = await Promise.all(outputs.map(digest))
  if (new Set(digests).size !== 1) throw new Error("the outputs of the file job differ")
  return "The three outputs are equal, byte for byte."
}

const digest = async (path: string): Promise<string> => {
  if (!existsSync(path)) throw new Error("an output of the file job is missing")
  const sha = createHash("sha256")
  await pipeline(createReadStream(path), sha)
  return sha.digest("hex")
}

export default { title: "File job", run } satisfies Part
