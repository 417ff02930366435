/**
 * `--edit` and `--set`: what enters instead of what was read.
 *
 * @module
 */
import { readFileSync } from "node:fs"
import { Effect, type Schema } from "effect"
import type { CliFailure } from "./CliFailure.ts"
import { bad } from "./letterChoice.ts"

type Values = Readonly<Record<string, Schema.Json>>

/** By letter id: `<id>=<json>`, or `<id>=@<file>` with the JSON in a file. */
export const editsOf = (given: ReadonlyArray<string>): Effect.Effect<Values, CliFailure> =>
  collected("--edit", given, ([id, text]) => {
    const content = text.startsWith("@") ? contentOf(text.slice(1)) : Effect.succeed(text)
    return Effect.flatMap(content, (json) => {
      const value = parsed(json)
      return value === undefined
        ? bad(
            "bad_edit",
            `the payload for ${id} is no JSON`,
            "quote it for the shell, or put it into a file: id=@file"
          )
        : Effect.succeed(value)
    })
  })

/** By field: `<field>=<value>`; a value that is no JSON is a text. */
export const setOf = (given: ReadonlyArray<string>): Effect.Effect<Values, CliFailure> =>
  collected("--set", given, ([, text]) => Effect.succeed(parsed(text) ?? text))

const collected = (
  flag: string,
  given: ReadonlyArray<string>,
  valueIn: (pair: readonly [string, string]) => Effect.Effect<Schema.Json, CliFailure>
): Effect.Effect<Values, CliFailure> =>
  Effect.gen(function* () {
    const values = new Map<string, Schema.Json>()
    for (const text of given) {
      const at = text.indexOf("=")
      if (at < 1) {
        return yield* bad(
          "usage",
          `${flag} ${text}: there is no = in it`,
          `it looks like ${flag} ${shapes[flag]}`
        )
      }
      const name = text.slice(0, at)
      if (values.has(name)) return yield* bad("usage", `${flag} names ${name} twice`, "name it once")
      values.set(name, yield* valueIn([name, text.slice(at + 1)]))
    }
    return Object.fromEntries(values)
  })

const shapes: Readonly<Record<string, string>> = {
  "--edit": `0.3.3017='{"delay":5}'`,
  "--set": "delay=0"
}

const contentOf = (path: string): Effect.Effect<string, CliFailure> => {
  try {
    return Effect.succeed(readFileSync(path, "utf8"))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return bad("file_not_found", `${path} cannot be read: ${message}`, "check the path")
  }
}

const parsed = (text: string): Schema.Json | undefined => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
