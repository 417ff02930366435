/**
 * Where and what was measured: enough to compare two results, nothing about whose machine it is.
 *
 * @module
 */
import { spawnSync } from "node:child_process"
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs"
import { arch, cpus, platform, totalmem } from "node:os"
import { join } from "node:path"
import { figure, median } from "./comparison.ts"

/** Lines of `name: value`. */
export const machineLines = (folder: string): ReadonlyArray<string> => [
  `Machine: ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${arch()}`,
  `Disk: \`fdatasync\` of 4 KiB takes ${figure(syncMs(folder))} ms (median)`,
  `Node: ${process.version}`,
  `Commit: ${commit()}`,
  `Date: ${new Date().toISOString().slice(0, 10)}`
]

const commit = (): string => {
  const git = (...args: ReadonlyArray<string>) =>
    spawnSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" })
  const { status, stdout } = git("rev-parse", "--short=12", "HEAD")
  if (status !== 0) return "unknown"
  const changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!RESULTS.md").stdout !== ""
  return `${stdout.trim()}${changed ? " with changes" : ""}`
}

/** What durability costs here; next to nothing where the temporary folder lies in memory. */
const syncMs = (folder: string): number => {
  const path = join(folder, "sync")
  const file = openSync(path, "w")
  const page = Buffer.alloc(4096, 1)
  const samples = Array.from({ length: 101 }, () => {
    const began = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    return performance.now() - began
  })
  closeSync(file)
  rmSync(path)
  return median(samples)
}
