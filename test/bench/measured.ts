/**
 * A whole process as a measurement: wall time from its start to its end, CPU time of all its threads,
 * and the most memory it ever had.
 *
 * @module
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { text } from "node:stream/consumers"
import { fileURLToPath, pathToFileURL } from "node:url"

export interface Measured {
  readonly wallMs: number
  readonly cpuMs: number
  readonly rssMiB: number
  /** What it printed. */
  readonly stdout: string
}

const reportUsage = import.meta.resolve("./reportUsage.ts")

/** The path of a module beside the caller's. */
export const pathOf = (module: string, from: string): string => fileURLToPath(new URL(module, from))

/** Millrace's command line as the package has it; `npm run bench` builds it first. */
export const commandLine = pathOf("../../dist/src/cli/main.js", import.meta.url)

/** What its first line gives to Node, as whoever runs it by its name has it. */
export const commandLineFlags = (): ReadonlyArray<string> => {
  const [first] = readFileSync(commandLine, "utf8").split("\n", 1)
  return (first ?? "").split(" ").filter((word) => word.startsWith("--"))
}

/** Runs Node with these arguments in a folder; fails when it does. */
export const measureProcess = async (
  args: ReadonlyArray<string>,
  { env = {}, folder }: { readonly folder: string; readonly env?: Readonly<Record<string, string>> }
): Promise<Measured> => {
  const flags = args[0] === commandLine ? commandLineFlags() : []
  const began = performance.now()
  const child = spawn(process.execPath, [...flags, "--import", reportUsage, ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe", "pipe"]
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", resolve)
  })
  const usage = child.stdio[3] as NodeJS.ReadableStream
  const [code, stdout, stderr, used] = await Promise.all([
    ended,
    text(child.stdout!),
    text(child.stderr!),
    text(usage)
  ])
  const wallMs = performance.now() - began
  if (code !== 0) throw new Error(`a measured process ended with ${code}: ${stderr.slice(-2000)}`)
  return { wallMs, ...(JSON.parse(used) as { cpuMs: number; rssMiB: number }), stdout }
}

/** The last line a process printed, as JSON. */
export const reportOf = <A>({ stdout }: Measured): A => JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as A

/** How `--import` wants a module to be named. */
export const importable = (path: string): string => pathToFileURL(path).href
