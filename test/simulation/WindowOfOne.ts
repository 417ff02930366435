/**
 * A source that hands out the next batch only when the one before it is acknowledged, as sources with a
 * window do. Whoever forgets an acknowledgement waits for ever.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Deferred, Effect, Schema } from "effect"
import type { Driver } from "../../src/drivers/Driver.ts"
import type { SourceReader } from "../../src/drivers/Source.ts"

/** What the other side remembers: it outlives the process. */
interface Window {
  acknowledged: number
  handedOut: number
}

export const windowOfOne = (payloads: ReadonlyArray<unknown>): Driver & Window => {
  const driver = {
    name: "window",
    class: "stream" as const,
    guarantee: "effectively_once" as const,
    acknowledged: 0,
    handedOut: 0,
    source: {
      config: Schema.Struct({}),
      make: () =>
        Effect.succeed({
          open: (from: unknown) =>
            Effect.map(Deferred.make<void>(), (first) => reader(driver, payloads, Number(from ?? 0), first))
        })
    }
  }
  return driver
}

const reader = (
  driver: Window,
  payloads: ReadonlyArray<unknown>,
  from: number,
  first: Deferred.Deferred<void>
): SourceReader => {
  let at = from
  let wake = first
  return {
    next: ({ records }) =>
      Effect.gen(function* () {
        // What was handed out may be read again; what comes behind it waits for its acknowledgement.
        while (at >= driver.handedOut && driver.acknowledged < driver.handedOut) {
          yield* Deferred.await(wake)
          wake = yield* Deferred.make<void>()
        }
        const some = payloads.slice(at, at + records)
        if (some.length === 0) return null
        at += some.length
        driver.handedOut = Math.max(driver.handedOut, at)
        const texts = some.map((payload) => JSON.stringify(payload))
        return {
          records: some.map((payload) => ({ payload, metadata: {} })),
          to: at,
          digest: createHash("sha256").update(texts.join("\n")).digest("hex"),
          bytes: 100,
          raw: (index: number) => ({
            encoding: "utf8" as const,
            data: texts[index]!,
            size: texts[index]!.length
          })
        }
      }),
    ack: (position) =>
      Effect.suspend(() => {
        driver.acknowledged = Math.max(driver.acknowledged, Number(position))
        return Effect.asVoid(Deferred.succeed(wake, undefined))
      }),
    progress: () => ({ done: at, total: payloads.length, unit: "rows" })
  }
}
