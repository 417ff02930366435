/**
 * The main job on real data: three million flights, a pipeline that is killed in the middle, and the
 * proof that nothing happened. Works in a temporary folder and leaves nothing behind (`--keep` keeps it).
 *
 * @module
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { createReadStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { styleText } from "node:util"

const data = resolve(import.meta.dirname, "../node_modules/vega-datasets/data")
const commandLine = resolve(import.meta.dirname, "millrace")
const outputs = ["late.ndjson", "very-late.csv", "reports.ndjson"]

/** The pipeline: real flights, real airports, and a small file of reports in which some lines are broken. */
const pipeline = `name: flights
description: Flights more than an hour late, with the names of their airports
stages:
  flights:                                    # 3,000,000 rows, ${"`"}vega-datasets${"`"} (BSD-3)
    source: { use: file, path: ${join(data, "flights-3m.parquet")} }
    output: { date: string, delay: number, distance: number, origin: string, destination: string }
  late:
    from: flights
    filter: record.delay > 60
  named:
    from: late
    lookup:
      use: file
      path: ${join(data, "airports.csv")}
      match: { origin: iata }
      into: airport
      take: [name, city, state]
  shaped:
    from: named
    map:
      date: record.date
      hours: record.delay / 60
      from: record.airport.name + ", " + record.airport.state
      to: record.destination
      miles: record.distance
  store:
    from: shaped
    sink: { use: file, path: late.ndjson }
  alerts:
    from: { stage: shaped, when: record.hours > 6 }
    sink: { use: file, path: very-late.csv }
  reports:                                    # made by this demo: 8 good lines, 5 broken ones
    source: { use: file, path: reports.ndjson.in, format: ndjson }
    output: { flight: string, delay: number }
  kept:
    from: reports
    map: { flight: record.flight, hours: record.delay / 60 }
  filed:
    from: kept
    sink: { use: file, path: reports.ndjson }
`

/** Five lines nobody could handle: not JSON, cut off, the wrong type, a missing field, not UTF-8. */
const reports = (): Buffer => {
  const good = (n: number) => `{"flight":"MR ${100 + n}","delay":${n * 45}}\n`
  return Buffer.concat([
    Buffer.from(good(1) + good(2)),
    Buffer.from("flight MR 103 was late, sorry\n"),
    Buffer.from(good(4) + good(5)),
    Buffer.from('{"flight":"MR 106","delay":\n'),
    Buffer.from('{"flight":"MR 107","delay":"two hours"}\n'),
    Buffer.from(`${good(8) + good(9)}{"delay":30}\n`),
    Buffer.from('{"flight":"MR \xff\xfe","delay":12}\n', "latin1"),
    Buffer.from(good(12) + good(13))
  ])
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const head = (text: string): void => say(`\n${styleText("bold", text)}`)
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

/** Runs the command line in a folder; what it prints goes through unless it is asked for. */
const millrace = (folder: string, args: ReadonlyArray<string>, capture = false) => {
  const child = spawn(commandLine, args, {
    cwd: folder,
    stdio: ["ignore", capture ? "pipe" : "inherit", "inherit"]
  })
  let stdout = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  const ended = new Promise<{ code: number | null; signal: string | null; stdout: string }>((done) =>
    child.on("close", (code, signal) => done({ code, signal, stdout }))
  )
  return { child, ended }
}

const must = async (ended: ReturnType<typeof millrace>["ended"]): Promise<string> => {
  const { code, signal, stdout } = await ended
  if (code === 0) return stdout
  throw new Error(`millrace ended with ${signal ?? `exit code ${code}`}`)
}

/** Batches sealed in a folder's log so far, read beside the process that writes it. */
const sealedBatches = (folder: string): number => {
  const path = join(folder, ".millrace", "millrace.db")
  if (!existsSync(path)) return 0
  try {
    using database = new DatabaseSync(path, { readOnly: true })
    const row = database.prepare("select count(*) as n from events where type = 'BatchSealed'").get()
    return Number(row?.n ?? 0)
  } catch {
    return 0
  }
}

/** Runs the pipeline and kills its process, without warning, once so many batches are sealed. */
const runAndKill = async (folder: string, batches: number): Promise<void> => {
  const { child, ended } = millrace(folder, ["run", "flights.yaml"])
  const watch = setInterval(() => {
    if (sealedBatches(folder) >= batches) child.kill("SIGKILL")
  }, 20)
  const { code, signal } = await ended
  clearInterval(watch)
  if (signal !== "SIGKILL") throw new Error(`the run was to be killed, but it ended with ${signal ?? code}`)
}

const sha256 = async (path: string): Promise<string> => {
  const hash = createHash("sha256")
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest("hex")
}

const prepare = (root: string, name: string): string => {
  const folder = join(root, name)
  mkdirSync(folder)
  writeFileSync(join(folder, "flights.yaml"), pipeline)
  writeFileSync(join(folder, "reports.ndjson.in"), reports())
  return folder
}

const main = async (root: string): Promise<boolean> => {
  const began = performance.now()
  const killed = prepare(root, "killed")
  const calm = prepare(root, "undisturbed")

  head("Three million flights through a pipeline that is killed in the middle")
  say("late flights are joined with their airports; the very late ones go to a second file as well;")
  say("a small file of reports, made by this demo, has five broken lines among its thirteen.")

  head("1  The pipeline runs, and its process is killed with SIGKILL half way")
  await runAndKill(killed, 1500)
  say(
    `\n${styleText("red", "killed")} (SIGKILL) with ${sealedBatches(killed).toLocaleString("en")} of about 3,000 batches in its log`
  )

  head("2  The same command again: it goes on from its place")
  await must(millrace(killed, ["run", "flights.yaml"]).ended)

  head("3  What could not be handled is kept, with its reason and its bytes")
  await must(millrace(killed, ["dead-letters", "flights", "list"]).ended)

  head("4  The log is whole, from the first event to the last")
  await must(millrace(killed, ["verify"]).ended)

  head("5  The same pipeline once more, in another folder, undisturbed")
  await must(millrace(calm, ["run", "flights.yaml"]).ended)

  head("6  The outputs of both")
  let same = true
  for (const output of outputs) {
    const [one, other] = [await sha256(join(killed, output)), await sha256(join(calm, output))]
    same &&= one === other
    const mark = one === other ? styleText("green", "✓ identical") : styleText("red", "✗ different")
    say(`${mark}  ${output.padEnd(16)} sha256 ${one.slice(0, 16)}…  undisturbed ${other.slice(0, 16)}…`)
  }
  say(
    `\n${same ? "Killed and resumed, and not a byte is different." : "The outputs differ: this is a bug."} ${seconds(began)} in all.`
  )
  return same
}

const root = mkdtempSync(join(tmpdir(), "millrace-demo-"))
const keep = process.argv.includes("--keep")
const clean = (): void => {
  if (keep) say(`\nkept: ${root}`)
  else rmSync(root, { recursive: true, force: true })
}
process.on("SIGINT", () => {
  clean()
  process.exit(130)
})
try {
  process.exitCode = (await main(root)) ? 0 : 1
} finally {
  clean()
}
