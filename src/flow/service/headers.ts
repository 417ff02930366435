/**
 * The headers of a service's calls, with the values of its secrets; and texts without those values.
 *
 * @module
 */
import { Config, Effect, Redacted } from "effect"
import type { Service } from "../../../events/Definition.ts"
import { DriverError } from "../../drivers/DriverError.ts"

export interface CallHeaders {
  /** Only for the call itself. */
  readonly values: () => Readonly<Record<string, string>>
  /**
   * Invariant 10: what a service answers may repeat what it was sent. A text that was cut off loses the
   * beginning of a secret at its end.
   */
  readonly redact: (text: string, isWhole?: boolean) => string
}

/** Looks the secrets up in the program's Config, once, when the pipeline is made ready. */
export const resolveHeaders = Effect.fnUntraced(function* (
  headers: Service["headers"] = {}
): Effect.fn.Return<CallHeaders, DriverError> {
  const values: Array<readonly [string, Redacted.Redacted]> = []
  const secrets: Array<Redacted.Redacted> = []
  for (const [name, value] of Object.entries(headers)) {
    const resolved = typeof value === "string" ? Redacted.make(value) : yield* secretOf(value.secret)
    if (typeof value !== "string") secrets.push(resolved)
    // The error of the platform for such a value shows the value.
    if (!headerText.test(Redacted.value(resolved))) {
      return yield* wrong(
        "bad_header",
        `the value of the header ${name} cannot be sent: it is not one line of Latin text`
      )
    }
    values.push([name, resolved])
  }
  return {
    values: () => Object.fromEntries(values.map(([name, value]) => [name, Redacted.value(value)])),
    redact: (text, isWhole = true) =>
      secrets.reduce((said, secret) => {
        const value = Redacted.value(secret)
        const without = said.replaceAll(value, "<redacted>")
        return isWhole ? without : withoutBeginning(without, value)
      }, text)
  }
})

const withoutBeginning = (text: string, secret: string): string => {
  for (let length = Math.min(text.length, secret.length - 1); length > 0; length--) {
    if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length)
  }
  return text
}

const headerText = /^[\t\x20-\x7e\x80-\xff]*$/u

const secretOf = (name: string): Effect.Effect<Redacted.Redacted, DriverError> =>
  Effect.gen(function* () {
    const value = yield* Config.Redacted(name)
    return Redacted.value(value) === "" ? yield* unset(name) : value
  }).pipe(Effect.catchTag("ConfigError", () => unset(name)))

const unset = (name: string) =>
  wrong(
    "unset_secret",
    `the secret ${name} is not set`,
    `set the variable ${name} for the process that runs the pipeline`
  )

const wrong = (code: string, message: string, suggestion?: string) =>
  new DriverError({
    driver: "service",
    operation: "open",
    reason: { _tag: "Misconfigured", code, message, ...(suggestion === undefined ? {} : { suggestion }) }
  })
