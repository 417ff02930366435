#!/usr/bin/env -S node --min-semi-space-size=16 --max-semi-space-size=32
/**
 * The entry point: checks the Node it was started with before anything else is loaded.
 *
 * @module
 */
import module from "node:module"
import { setFlagsFromString } from "node:v8"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

/** With `--json` even a process that ends before it has begun answers with one object. */
const refuse = (code: string, message: string, suggestion: string): void => {
  if (process.argv.includes("--json")) {
    const error = { code, message, suggestion }
    process.stdout.write(`${JSON.stringify({ ok: false, command: null, result: null, error })}\n`)
  } else process.stderr.write(`✗ ${code}\n  ${message}\n  → ${suggestion}\n`)
}

/** Until the engine is there to drain, nothing has begun that a signal could cut off. */
const interrupted = (signal: NodeJS.Signals): void => {
  refuse("interrupted", `${signal} came before anything had begun`, "run the same command again")
  process.exit(signal === "SIGINT" ? 130 : 143)
}

if (major < 22 || (major === 22 && minor < 19)) {
  const message = `Millrace needs Node 22.19 or newer; this is ${process.versions.node}`
  refuse("node_too_old", message, "install a newer Node, https://nodejs.org")
  process.exitCode = 3
} else {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupted)
  module.enableCompileCache?.()
  // A batch's records are garbage once it is written. With a young generation that holds a few batches (the
  // first line of this file) most of it never gets old; of the rest V8 would collect several times what is alive.
  setFlagsFromString("--heap-growing-percent=100")
  // Before any schema is made: decoding events is six times faster with it.
  await import("effect/schema/SchemaJITCompiler/enable")
  const { start } = await import("./commandLine.ts")
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupted)
  start(process.argv.slice(2))
}
