/**
 * Starts a pipeline and waits for its first record to come out, which only the process itself can hurry.
 *
 * @module
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { commandLine, commandLineFlags } from "./measured.ts"

/** Where a log is. */
export type Place = { readonly directory: string } | { readonly url: string }

/** Milliseconds from starting `millrace run <file>` to its first output; the process is then killed. */
export const firstOutput = async (file: string, folder: string, place: Place): Promise<number> => {
  const log = "url" in place ? { MILLRACE_DATABASE_URL: place.url } : { MILLRACE_DATA_DIR: place.directory }
  const began = performance.now()
  const child = spawn(process.execPath, [...commandLineFlags(), commandLine, "run", file], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", ...log },
    stdio: ["ignore", "pipe", "pipe"]
  })
  // It would go on without end, should this process have to end first.
  const end = (): void => void child.kill("SIGKILL")
  process.once("exit", end)
  const closed = once(child, "close")
  let errors = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-2000)
  })
  const [seen] = await Promise.race([once(child.stdout, "data"), closed])
  const ms = performance.now() - began
  end()
  await closed
  process.off("exit", end)
  if (!Buffer.isBuffer(seen)) throw new Error(`the pipeline ended before its first record: ${errors}`)
  return ms
}
