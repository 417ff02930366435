/**
 * The lines of the program's own log: whom they are about, in both formats, and never a secret.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted } from "effect"
import { type LoggerOptions, makeLogger } from "../../src/cli/logger.ts"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask } from "./commandLine.ts"

/** What is written while the effect runs. */
const written = (options: LoggerOptions, effect: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    yield* Effect.provide(effect, Logger.layer([makeLogger(options, (line) => void lines.push(line))]))
    return lines.join("")
  })

const secret = Redacted.make("hunter2")
const warning = Effect.logWarning("the sink\u001b[31m is away", { url: secret }, new Error("no answer")).pipe(
  Effect.annotateLogs({ pipeline: "p", run: "r1", message: "not this" })
)

describe("a line of the log", () => {
  it.effect("says for a person what it is about, and sends no escape code to the terminal", () =>
    Effect.gen(function* () {
      const text = yield* written({ format: "pretty", debugging: false }, warning)
      assert.match(text, /^warn: the sink.*is away \{"url":"<redacted>"\} no answer pipeline=p run=r1 .*\n$/)
      assert.notInclude(text, "\u001b")
      assert.notInclude(text, "hunter2")
    })
  )

  it.effect("is one object for a program", () =>
    Effect.gen(function* () {
      const text = yield* written({ format: "json", debugging: true }, warning)
      const { message, time, ...rest } = JSON.parse(text)
      assert.include(message, "is away")
      assert.match(time, /^\d{4}-.*Z$/)
      assert.include(rest, { level: "warn", pipeline: "p", run: "r1", annotation_message: "not this" })
      assert.notInclude(text, "hunter2")
      assert.strictEqual(text.indexOf("\n"), text.length - 1)
    })
  )
})

describe("--log-format", () => {
  it.effect("is one of two", () =>
    Effect.gen(function* () {
      using folder = temporaryFolder()
      const { code, json } = yield* Effect.promise(() => ask(folder.path, "list", "--log-format", "xml"))
      assert.strictEqual(code, 2)
      assert.match(json.error.message, /log-format/)
      const known = yield* Effect.promise(() => run(folder.path, "list", "--log-format", "json"))
      assert.notStrictEqual(known.code, 2)
    })
  )
})
