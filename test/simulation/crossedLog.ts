/**
 * A log whose every operation is two crossings, before and after, whatever it is kept in.
 *
 * @module
 */
import { Effect, Layer, Stream } from "effect"
import { EventLog } from "../../src/log/EventLog.ts"

/** Runs at both moments of an operation; one that never returns is a death there. `types` are those of an append. */
export type CrossLog = (
  operation: keyof EventLog["Service"],
  moment: "before" | "after",
  types: ReadonlyArray<string>
) => Effect.Effect<void>

/** The log that is provided, with its crossings. Nobody hears of its changes: a death lies between two operations. */
export const crossedLog = (cross: CrossLog): Layer.Layer<EventLog, never, EventLog> =>
  Layer.effect(
    EventLog,
    Effect.gen(function* () {
      const log = yield* EventLog
      const asked = <A, E>(
        operation: keyof EventLog["Service"],
        run: Effect.Effect<A, E>,
        types: ReadonlyArray<string> = []
      ) =>
        cross(operation, "before", types).pipe(
          Effect.andThen(run),
          Effect.tap(() => cross(operation, "after", types))
        )
      const read = <A, E>(operation: "read" | "readAll", events: Stream.Stream<A, E>) =>
        Stream.concat(
          Stream.unwrap(Effect.as(cross(operation, "before", []), events)),
          Stream.fromEffectDrain(cross(operation, "after", []))
        )
      return EventLog.of({
        isWritable: log.isWritable,
        claim: (stream) => asked("claim", log.claim(stream)),
        append: (stream, at, events) =>
          asked(
            "append",
            log.append(stream, at, events),
            events.map(({ type }) => type)
          ),
        read: (stream, options) => read("read", log.read(stream, options)),
        readAll: (options) => read("readAll", log.readAll(options)),
        changes: log.changes,
        heads: asked("heads", log.heads),
        saveSnapshot: (snapshot) => asked("saveSnapshot", log.saveSnapshot(snapshot)),
        loadSnapshot: (stream, fold, foldVersion) =>
          asked("loadSnapshot", log.loadSnapshot(stream, fold, foldVersion))
      })
    })
  )
