/**
 * The histories a service is asked for again and again: each is kept as far as it was read, so that the next
 * question reads only what came after. No actor is woken for it.
 *
 * @module
 */
import { Context, Effect, Layer, Semaphore } from "effect"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import * as History from "../../../projections/History.ts"
import { EventLog, type LogError } from "../../log/EventLog.ts"
import type { Folded } from "./foldStream.ts"
import { readHistory } from "./readHistory.ts"

/** Histories that are kept; the one that was asked for longest ago is forgotten first, and read anew when it is asked for. */
export const historiesMost = 64

/** Events that are read before what is known of them is kept. */
const partEvents = 20_000

interface Kept {
  readonly one: Semaphore.Semaphore
  folded: Folded<History.History>
}

export class Histories extends Context.Service<
  Histories,
  {
    /** The history of the pipeline with this id, with everything in it that the log held when this was asked. */
    of(id: string): Effect.Effect<History.History, LogError | UndecodableEvent>
  }
>()("millrace/pipeline/Histories") {
  static readonly layer: Layer.Layer<Histories, never, EventLog> = Layer.effect(
    Histories,
    Effect.map(EventLog, (log) => {
      const kept = new Map<string, Kept>()
      const keep = (id: string): Kept => {
        const of = kept.get(id) ?? {
          one: Semaphore.makeUnsafe(1),
          folded: { state: History.initial, version: 0 }
        }
        kept.delete(id)
        kept.set(id, of)
        if (kept.size > historiesMost) kept.delete(kept.keys().next().value!)
        return of
      }
      return {
        of: (id) =>
          Effect.suspend(() => {
            const of = keep(id)
            // Those who ask at the same time wait for one reading, and find it done.
            return of.one.withPermits(1)(catchUp(log, pipelineStream(id), of))
          })
      }
    })
  )
}

/** A long history is kept part by part: whoever asks again after a deadline finds it further on. */
const catchUp = (
  log: EventLog["Service"],
  stream: string,
  of: Kept
): Effect.Effect<History.History, LogError | UndecodableEvent> =>
  Effect.suspend(() => readHistory(log, stream, of.folded, partEvents)).pipe(
    Effect.flatMap((folded) => {
      const isWhole = folded.version < of.folded.version + partEvents
      of.folded = folded
      return isWhole ? Effect.succeed(folded.state) : catchUp(log, stream, of)
    })
  )
