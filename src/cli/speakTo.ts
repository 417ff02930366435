/**
 * How a verb reaches the operations: over the network, or by the same handlers in this process; and what
 * is made of the answers that are none.
 *
 * @module
 */
import { resolve } from "node:path"
import { Effect, Option } from "effect"
import { nearest } from "../../events/nearest.ts"
import { makeApiClient } from "./ApiClient.ts"
import { CliFailure } from "./CliFailure.ts"
import { driversFor } from "./driversFor.ts"
import { exitCode } from "./exitCode.ts"
import { DataDirectory, Json, ServiceToken } from "./globalFlags.ts"
import type { LogPlace } from "./logPlace.ts"
import { hasLog } from "./openLog.ts"
import { type InPlace, Service } from "./Service.ts"
import { isRefusal, serviceFailure, unexpectedAnswer } from "./serviceFailure.ts"

/** A service at an address. Nothing is sent yet. */
export const overNetwork = Effect.fnUntraced(function* (url: string) {
  const token = Option.getOrUndefined(yield* ServiceToken)
  return Service.of({
    client: yield* makeApiClient({ url, token }),
    following: makeApiClient({ url, token, accept: "text/event-stream" }),
    name: url,
    url,
    hasToken: token !== undefined
  })
})

/** The operations on a log nobody holds: it is held until the scope closes. */
export const inThisProcess = Effect.fnUntraced(function* (place: LogPlace, { base, isNew }: InPlace) {
  if (isNew !== true && place._tag === "Folder" && !hasLog(place.directory)) {
    return yield* new CliFailure({
      exit: exitCode.environment,
      code: "no_log",
      message: `there is no log in ${place.name}`,
      suggestion: "apply or run a pipeline first, name its folder with --data-dir, or a service with --url"
    })
  }
  // The engine is loaded only where nobody else has it running.
  const { localFetch } = yield* Effect.promise(() => import("./localFetch.ts"))
  const directory = resolve(yield* DataDirectory)
  const fetch = yield* localFetch(place, resolve(base ?? "."), directory, driversFor(yield* Json))
  const at = { url: "http://localhost", token: undefined, fetch }
  return Service.of({
    client: yield* makeApiClient(at),
    following: makeApiClient({ ...at, accept: "text/event-stream" }),
    name: place.name,
    url: null,
    hasToken: false
  })
})

/** Runs a verb, and says what went wrong in the words of the command line. */
export const speaking = <A, E, R>(use: Effect.Effect<A, E, R>, service: Service["Service"]) =>
  use.pipe(
    Effect.catch((error) => Effect.flatMap(explain(error, service), Effect.fail)),
    Effect.provideService(Service, service)
  )

/** A failure with what else can be found out about it. */
const explain = Effect.fnUntraced(function* (error: unknown, service: Service["Service"]) {
  const failure = serviceFailure(error, service)
  if (failure.code === unexpectedAnswer) return yield* whoAnswered(failure, service)
  if (failure.suggestion !== undefined || !isRefusal(error, "UnknownPipelineName")) return failure
  const suggestion = yield* namesLike(String(error.details.name ?? ""), service)
  return new CliFailure({ ...failure, message: failure.message, suggestion })
})

/** Another release of the service, or no Millrace at all? Its health has had one form in all releases. */
const whoAnswered = (failure: CliFailure, { client, name }: Service["Service"]) =>
  Effect.match(client.service.getHealth(), {
    onSuccess: () => failure,
    onFailure: () =>
      new CliFailure({
        ...failure,
        code: "not_a_service",
        message: `what answers at ${name} is no Millrace service`,
        suggestion: "check the address; a service prints its own when it starts"
      })
  })

const namesLike = (name: string, { client }: Service["Service"]): Effect.Effect<string> =>
  Effect.match(client.pipelines.listPipelines({ query: { selector: "status" } }), {
    onFailure: () => "`millrace list` shows those there are",
    onSuccess: (all) => {
      const meant = nearest(
        name,
        all.map((one) => one.name)
      )
      return meant === undefined ? "`millrace list` shows those there are" : `did you mean ${meant}?`
    }
  })
