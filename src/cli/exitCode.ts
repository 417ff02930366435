/**
 * What the process answers to whoever started it.
 *
 * A run that ends badly is 1, whatever its driver met: a missing source file, a broken expression, too
 * many dead letters. It is 3 when its surroundings were to blame and the very same command may succeed
 * once they are mended: a full disk, a locked output, a system that does not answer.
 *
 * @module
 */

/** Done; the operation failed; the input (a file, a flag, a name) is wrong; the environment is. */
export const exitCode = { done: 0, failed: 1, badInput: 2, environment: 3 } as const

export type Signal = "SIGINT" | "SIGTERM"

/** Cut off by a signal: 128 and its number, as shells have it. */
export const signalCode: Readonly<Record<Signal, number>> = { SIGINT: 130, SIGTERM: 143 }

const environmentCodes: ReadonlySet<string> = new Set([
  "disk_full",
  "file_io_failed",
  "log_locked",
  "log_unavailable",
  "output_locked",
  "too_many_open_files",
  "timeout",
  "unavailable",
  "unreachable"
])

/** The exit code of a run that failed with this code. */
export const codeOfRun = (failureCode: string): number =>
  environmentCodes.has(failureCode) ? exitCode.environment : exitCode.failed

/** The one exit code of several pipelines: what all that failed agree on, else 1. */
export const combined = (codes: ReadonlyArray<number>): number => {
  const bad = new Set(codes.filter((code) => code !== exitCode.done))
  return bad.size === 0 ? exitCode.done : bad.size === 1 ? [...bad][0]! : exitCode.failed
}
