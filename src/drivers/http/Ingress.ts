/**
 * The way in: takes bodies of records for `http` sources, and says whether records are through.
 *
 * A body is answered once its records are durable, all of them; of a body with anything wrong in it nothing is
 * kept. The driver reads from the same spools, so both come from one `Ingress`.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Context, Effect, Layer, Result, Schema, type Scope, Semaphore, Stream } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { Use } from "../../../events/Definition.ts"
import type { Driver } from "../Driver.ts"
import type { DriverError } from "../DriverError.ts"
import type { BodyWriter } from "./body/Body.ts"
import { checkBody } from "./body/checkBody.ts"
import { makeHttpDriver } from "./HttpDriver.ts"
import { HttpSourceConfig, recordSettings } from "./HttpSourceConfig.ts"
import { type IngressError, ingressError, refuse } from "./IngressError.ts"
import { isSpoolPlace } from "./spool/SpoolPlace.ts"
import { type OpenSpool, openSpools, type Spools, type SpoolsOptions } from "./spool/Spools.ts"
import { readToken, writeToken } from "./token.ts"

export interface Push<E = never> {
  /** The id of the pipeline. */
  readonly pipeline: string
  readonly stage: string
  /** The settings of the stage's source, as they stand in the definition. */
  readonly source: Use
  readonly body: Stream.Stream<Uint8Array, E>
  /** What the sender says of the body; the source's own format where nothing is said. */
  readonly format?: "json" | "csv"
  readonly array?: boolean
  readonly updateFormat?: "raw" | "insert_delete"
  /** Requests with one key are stored once; the answer is the first one's. The last 1,000 of a stage are remembered. */
  readonly key?: string
}

export interface Pushed {
  /** The place behind the records. */
  readonly token: string
}

export class Ingress extends Context.Service<
  Ingress,
  {
    /** `use: http`, for the registry: it reads what is pushed here. */
    readonly driver: Driver
    push<E>(push: Push<E>): Effect.Effect<Pushed, IngressError | E>
    /**
     * Whether everything up to the token is settled. `checkpoint` is the position of the stage's checkpoint in
     * the log, `null` where there is none.
     */
    isThrough(asked: {
      readonly pipeline: string
      readonly token: string
      readonly checkpoint: (stage: string) => Position | null
    }): Effect.Effect<boolean, IngressError>
  }
>()("millrace/drivers/Ingress") {
  /** On a folder of its own. */
  static readonly layer = (options: SpoolsOptions): Layer.Layer<Ingress, DriverError> =>
    Layer.effect(Ingress, makeIngress(options))
}

/** Bodies whose records are looked at at the same time: each takes a few windows of memory. */
const checkedAtOnce = 4

export const makeIngress = Effect.fnUntraced(function* (
  options: SpoolsOptions
): Effect.fn.Return<Ingress["Service"], DriverError, Scope.Scope> {
  const spools = yield* openSpools(options)
  const checking = yield* Semaphore.make(checkedAtOnce)
  return {
    driver: makeHttpDriver(spools),
    push: (push) =>
      Effect.flatMap(Effect.fromResult(framingOf(push)), (framing) =>
        Effect.acquireUseRelease(
          Effect.sync(() => spools.incoming.body()),
          (writer) =>
            push.body.pipe(
              Stream.runForEach((part) => attempt(() => writer.add(part))),
              Effect.andThen(store(spools, checking, push, framing, writer))
            ),
          (writer) => Effect.promise(() => writer.discard())
        )
      ),
    isThrough: ({ checkpoint, pipeline, token }) =>
      attempt(async () => {
        const { ordinal, stage } = readToken(token)
        const open = await spools.known(pipeline, stage)
        if (open === undefined || writeToken(open.spool.id, stage, ordinal) !== token) throw unknownToken
        if (ordinal > open.spool.ordinal) throw unknownToken
        const at = checkpoint(stage)
        const logged = isSpoolPlace(at) && at.spool === open.spool.id ? at.ordinal : 0
        return Math.max(logged, open.spool.settled.ordinal) >= ordinal
      })
  }
})

/** What has arrived is looked at, then stored; whoever asked may have gone, what is begun is ended. */
const store = (
  spools: Spools,
  checking: Semaphore.Semaphore,
  push: Push<unknown>,
  { array, config }: Framed,
  writer: BodyWriter
): Effect.Effect<Pushed, IngressError> =>
  Effect.gen(function* () {
    const body = yield* attempt(() => writer.done())
    const settings = recordSettings(config)
    const framing = { array, header: config.header !== false }
    const checked = yield* checking.withPermits(1)(
      attempt(() => checkBody(body, settings, framing, spools.incoming))
    )
    const request = digest(JSON.stringify([settings, framing, body.digest]))
    const key = push.key === undefined ? undefined : { key: digest(push.key), request }
    return yield* attempt(async () => {
      const { spool, writer } = await spools.of(push.pipeline, push.stage)
      const ordinal = await append({ spool, writer }, { ...checked.payload, key })
      return { token: writeToken(spool.id, push.stage, ordinal) }
    }).pipe(Effect.ensuring(Effect.promise(checked.close)))
  }).pipe(Effect.uninterruptible)

/** No record, nothing to keep: whatever was there before is what its token waits for. */
const append = ({ spool, writer }: OpenSpool, payload: Parameters<OpenSpool["writer"]["append"]>[0]) =>
  payload.records === 0 ? Promise.resolve(spool.ordinal) : writer.append(payload)

interface Framed {
  readonly config: HttpSourceConfig
  readonly array: boolean
}

const framingOf = ({
  array,
  format,
  source,
  updateFormat
}: Push<unknown>): Result.Result<Framed, IngressError> => {
  const { use, ...settings } = source
  const decoded = decodeConfig(settings)
  if (use !== "http" || Result.isFailure(decoded)) {
    return unsuited(
      "records are pushed into an http source, which this is not",
      "push to a stage with use: http"
    )
  }
  const config = decoded.success
  const of = config.format === "csv" ? "csv" : "json"
  if (format !== undefined && format !== of)
    return unsuited(`the source takes ${of}, not ${format}`, `format=${of}`)
  if (array === true && of === "csv")
    return unsuited("an array is JSON, and the source takes csv", "array=false")
  if (updateFormat === "insert_delete") {
    const message = "records are events here, not rows of a table that are inserted and deleted"
    return unsuited(message, "send the records themselves, with update_format=raw")
  }
  return Result.succeed({ config, array: array ?? config.format === "json" })
}

const decodeConfig = Schema.decodeUnknownResult(HttpSourceConfig)

const unsuited = (message: string, suggestion: string) =>
  Result.fail(refuse({ _tag: "Unsuited", message, suggestion }))

const unknownToken = refuse({
  _tag: "UnknownToken",
  message: "no such token was given out for this pipeline",
  suggestion: "use the token that the push was answered with, at the same pipeline"
})

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32)

const attempt = <A>(act: () => Promise<A>): Effect.Effect<A, IngressError> =>
  Effect.tryPromise({ try: act, catch: ingressError })
