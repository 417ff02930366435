/**
 * The real command line as a child process, in a folder of its own.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"

const main = resolve(import.meta.dirname, "../../src/cli/main.ts")

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A folder that is gone when the test is over. */
export const temporaryFolder = (): { readonly path: string; readonly [Symbol.dispose]: () => void } => {
  const path = mkdtempSync(join(tmpdir(), "millrace-test-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Starts `millrace <args>` in the folder. */
export const start = (folder: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", MILLRACE_DATA_DIR: join(folder, ".millrace") },
    stdio: ["ignore", "pipe", "pipe"]
  })
  return { child, outcome: outcomeOf(child) }
}

export const run = (folder: string, ...args: ReadonlyArray<string>): Promise<Outcome> =>
  start(folder, ...args).outcome

const outcomeOf = (child: ChildProcess): Promise<Outcome> => {
  let stdout = ""
  let stderr = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  return new Promise((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
  )
}

/** How many events of a type the log holds, read beside its writer. */
export const countEvents = (folder: string, type: string): number =>
  query(folder, "select count(*) as n from events where type = ?", type).map((row) => Number(row.n))[0] ?? 0

export const query = (
  folder: string,
  sql: string,
  ...parameters: ReadonlyArray<string | number>
): ReadonlyArray<Record<string, unknown>> => {
  const path = join(folder, ".millrace", "millrace.db")
  if (!existsSync(path)) return []
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true })
    return database.prepare(sql).all(...parameters) as ReadonlyArray<Record<string, unknown>>
  } catch {
    // The table is not there yet: the process is still making its log.
    return []
  } finally {
    database?.close()
  }
}

export const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex")
