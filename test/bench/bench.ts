/**
 * `npm run bench`: measures Millrace against the alternatives and writes `RESULTS.md`.
 *
 *     npm run bench                            all parts; about twelve minutes on two cores
 *     npm run bench -- file-job fold           these parts; printed, not written
 *     npm run bench -- --quick                 does everything run? Printed, not written; no figures to quote
 *
 * @module
 */
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startPostgres } from "../support/PostgresServer.ts"
import { machineLines } from "./machine.ts"
import { type Given, type PartName, partNames, type Section } from "./Part.ts"
import { installPeers } from "./peers.ts"
import { reasonOf } from "./reasonOf.ts"
import { pageOf, sectionText, type Told } from "./results.ts"

/** A part that hangs must not keep the others from being told. */
const partMinutesMost = 15

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const quick = args.includes("--quick")
  const named = args.filter((arg) => arg !== "--quick")
  const unknown = named.filter((name) => !partNames.includes(name as PartName))
  if (unknown.length > 0) {
    say(`There is no part ${unknown.join(", ")}. There are: ${partNames.join(", ")}`)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"))
  const postgres = await startPostgres()
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupt)
  try {
    const given: Given = {
      quick,
      folder,
      postgres: typeof postgres === "string" ? { missing: reasonOf(postgres) } : { url: postgres.url },
      peersMissing: installPeers()
    }
    const told = await runParts(named.length === 0 ? partNames : (named as ReadonlyArray<PartName>), given)
    if (interrupted) return 130
    if (!quick && named.length === 0) {
      writeFileSync(join(import.meta.dirname, "RESULTS.md"), pageOf(machineLines(folder), told))
      say("written: test/bench/RESULTS.md")
    }
    return told.some(({ section }) => "failed" in section) ? 1 : 0
  } finally {
    if (typeof postgres !== "string") await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const runParts = async (names: ReadonlyArray<PartName>, given: Given): Promise<ReadonlyArray<Told>> => {
  const told: Array<Told> = []
  for (const name of names) {
    if (interrupted) break
    const began = performance.now()
    const part = await runPart(name, given)
    say(`${name} took ${((performance.now() - began) / 1000).toFixed(0)} s`)
    told.push(part)
    console.log(`\n${sectionText(part)}`)
  }
  return told
}

const say = (text: string): void => console.error(text)

let running: ChildProcess | undefined
let interrupted = false

/** The part at work ends; then everything is cleared away as at any end. */
const interrupt = (): void => {
  interrupted = true
  if (running !== undefined) end(running)
}

/** Asks first, because only the part itself knows which processes it has started. */
const end = (part: ChildProcess): void => {
  part.kill("SIGTERM")
  const patience = setTimeout(() => part.kill("SIGKILL"), 5000) // a bound, not a wait
  part.once("close", () => clearTimeout(patience))
}

const runPart = (name: PartName, given: Given): Promise<Told> =>
  new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, "runPart.ts"), { stdio: ["ignore", 2, "pipe", "ipc"] })
    running = child
    let errors = ""
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-4000)
    })
    const limit = setTimeout(() => end(child), partMinutesMost * 60_000) // a bound, not a wait
    let answer: { readonly title: string; readonly section: Section } | undefined
    child.on("message", (message) => {
      answer = message as typeof answer
    })
    child.on("close", (code, signal) => {
      clearTimeout(limit)
      if (answer === undefined || code !== 0) say(errors)
      resolve(
        answer ?? { title: name, section: { failed: `the part ended with ${signal ?? `exit ${code}`}` } }
      )
    })
    child.send({ name, given })
  })

process.exitCode = await main(process.argv.slice(2))
