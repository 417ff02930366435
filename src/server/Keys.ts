/**
 * The service's `Idempotency-Key`s, over its log.
 *
 * @module
 */
import { Context, Effect, Layer, Stream } from "effect"
import * as RememberedCommands from "../../projections/RememberedCommands.ts"
import { EventLog } from "../log/EventLog.ts"
import * as Idempotency from "./Idempotency.ts"
import { logFailure } from "./refusalOf.ts"

/** Streams whose keys are held in memory; others are read again when they are asked for. */
const streamsMost = 256

export class Keys extends Context.Service<Keys, Idempotency.Idempotency>()("millrace/server/Keys") {
  static readonly layer: Layer.Layer<Keys, never, EventLog> = Layer.effect(
    Keys,
    Effect.map(EventLog, (log) => Idempotency.make(findIn(log)))
  )
}

/** Reads only what came since the last question about the same stream. */
const findIn = (log: EventLog["Service"]): Idempotency.FindCommand => {
  const known = new Map<
    string,
    { readonly version: number; readonly commands: RememberedCommands.RememberedCommands }
  >()
  return Effect.fnUntraced(function* (stream: string, key: string) {
    let { commands, version } = known.get(stream) ?? { commands: RememberedCommands.initial, version: 0 }
    yield* Stream.runForEachArray(log.read(stream, { after: version }), (rows) =>
      Effect.sync(() => {
        for (const row of rows) {
          commands = RememberedCommands.evolve(commands, row)
          version = row.version
        }
      })
    ).pipe(Effect.mapError(logFailure))
    known.delete(stream)
    known.set(stream, { commands, version })
    if (known.size > streamsMost) known.delete(known.keys().next().value!)
    return RememberedCommands.find(commands, key)
  })
}
