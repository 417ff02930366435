/**
 * Whom a verb that operates speaks to: the service it was given, the one that holds the data directory,
 * or, where nobody holds it, the log itself.
 *
 * @module
 */
import { hostname } from "node:os"
import { Effect, Option } from "effect"
import type { Holder } from "../log/Sqlite.ts"
import { isLoopback } from "../server/listenAddress.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { ServiceUrl } from "./globalFlags.ts"
import { type LogPlace, logPlace } from "./logPlace.ts"
import { hasLog } from "./openLog.ts"
import { ownerLine, ownerOf } from "./owner.ts"

export type Whom =
  | { readonly _tag: "Service"; readonly url: string }
  | { readonly _tag: "Log"; readonly place: LogPlace }

/** The service of `--url` or `MILLRACE_URL`; `undefined` when none is named. Fails with `bad_url`. */
export const givenService = Effect.gen(function* () {
  const given = Option.getOrUndefined(yield* ServiceUrl)
  return given === undefined ? undefined : yield* checkUrl(given)
})

/** Fails with `log_locked` where the holder has no address, or none that this machine could reach. */
export const findService = Effect.gen(function* () {
  const url = yield* givenService
  if (url !== undefined) return { _tag: "Service", url } satisfies Whom as Whom
  const place = yield* logPlace
  if (place._tag === "Folder" && hasLog(place.directory)) {
    const holder = yield* ownerOf(place.directory)
    if (holder !== null) {
      return { _tag: "Service", url: yield* addressOf(holder, place.name) } satisfies Whom as Whom
    }
  }
  return { _tag: "Log", place } satisfies Whom as Whom
})

const addressOf = (holder: Holder, directory: string): Effect.Effect<string, CliFailure> => {
  const { address, host } = holder
  if (address === null) {
    return Effect.fail(
      inUse(
        `${directory} is in use by ${ownerLine(holder)}, and it has no address to speak to`,
        "wait until it ends; a service that is just starting has its address in a moment"
      )
    )
  }
  // A folder may be shared between machines, its holder's loopback is not.
  return host !== hostname() && isOnlyThere(URL.parse(address)?.hostname ?? "")
    ? Effect.fail(
        inUse(
          `${directory} is in use by ${ownerLine(holder)}, which only that machine can reach`,
          `run this on ${host}, or have the service listen where others reach it, and name it with --url`
        )
      )
    : Effect.succeed(address)
}

/** Loopback, or every address of that machine, none of which is named. */
const isOnlyThere = (at: string): boolean => isLoopback(at) || at === "0.0.0.0" || at === "[::]"

const inUse = (message: string, suggestion: string): CliFailure =>
  new CliFailure({ exit: exitCode.environment, code: "log_locked", message, suggestion })

const checkUrl = (given: string): Effect.Effect<string, CliFailure> => {
  const url = URL.parse(given)
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "") {
    return Effect.succeed(`${url.origin}${url.pathname}`.replace(/\/+$/, ""))
  }
  const meant = URL.parse(`http://${given}`)
  return Effect.fail(
    new CliFailure({
      exit: exitCode.badInput,
      code: "bad_url",
      message: `${JSON.stringify(given)} is no address of a service`,
      suggestion:
        meant === null || given.includes("://")
          ? "an address looks like http://127.0.0.1:7070"
          : `did you mean http://${given}?`
    })
  )
}
