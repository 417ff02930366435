/**
 * The operations a verb is written against, whoever carries them out: a service, or this process on a log
 * that nobody holds.
 *
 * @module
 */
import { Context, Effect, Option } from "effect"
import type { ApiClient } from "./ApiClient.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { findService, givenService, type Whom } from "./findService.ts"

export class Service extends Context.Service<
  Service,
  {
    readonly client: ApiClient
    /** The same operations, followed instead of read page by page. */
    readonly following: Effect.Effect<ApiClient>
    /** For people: an address, or a folder. */
    readonly name: string
    /** `null` where nobody is at work: what is wanted is written down, and nobody acts on it yet. */
    readonly url: string | null
    readonly hasToken: boolean
  }
>()("millrace/cli/Service") {}

export interface InPlace {
  /** Begins a log where there is none. */
  readonly isNew?: boolean
  /** The folder that relative paths of what is sent resolve against; the present one when absent. */
  readonly base?: string
}

/** Runs a verb that operates; `inPlace` is for a log that nobody holds. */
export const onService = <A, E, R>(use: Effect.Effect<A, E, R>, inPlace: InPlace = {}) =>
  Effect.gen(function* () {
    const whom = yield* findService
    const { inThisProcess, overNetwork, speaking } = yield* speech
    const service = yield* whom._tag === "Service"
      ? overNetwork(whom.url)
      : inThisProcess(whom.place, inPlace)
    return yield* speaking(use, service)
  }).pipe(Effect.scoped)

/** Runs a verb that only looks on the service it was given; nothing where none is named. */
export const onGivenService = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const url = yield* givenService
    if (url === undefined) return Option.none<A>()
    const { overNetwork, speaking } = yield* speech
    return Option.some(yield* speaking(use, yield* overNetwork(url)))
  })

/** Loaded when it is used: most verbs only look at a folder, and start sooner without it. */
const speech = Effect.promise(() => import("./speakTo.ts"))

/** For what only a process at work can do: fails with `nobody_at_work` before anything is opened. */
export const someoneAtWork = (what: string) =>
  Effect.flatMap(findService, (whom: Whom) =>
    whom._tag === "Service"
      ? Effect.void
      : Effect.fail(
          new CliFailure({
            exit: exitCode.environment,
            code: "nobody_at_work",
            message: `no process works on ${whom.place.name}, so ${what}`,
            suggestion: "`millrace serve` starts a service; name one that runs elsewhere with --url"
          })
        )
  )
