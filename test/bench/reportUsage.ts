/**
 * Preloaded into a measured process: when it ends, it says on its descriptor 3 what it has used.
 *
 * @module
 */
import { writeSync } from "node:fs"

process.on("exit", () => {
  const { maxRSS, systemCPUTime, userCPUTime } = process.resourceUsage()
  writeSync(3, JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, rssMiB: maxRSS / 1024 }))
})
