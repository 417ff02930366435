/**
 * Definitions in force, texts and all, without waking the pipelines: the roster leaves them in the log.
 *
 * @module
 */
import { Context, Effect, Layer } from "effect"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import type { DefinitionState } from "../../projections/PipelineState.ts"
import * as Roster from "../../projections/Roster.ts"
import type { Failure } from "../api/failures.ts"
import { EventLog } from "../log/EventLog.ts"
import { LiveRoster } from "../pipeline/LiveRoster.ts"
import { loadState } from "../pipeline/loadState.ts"
import { refusing } from "./refusalOf.ts"

/** A pipeline and the definition it has at the same moment. */
export interface Whole {
  readonly listed: Roster.Listed
  readonly definition: DefinitionState
}

/** Characters of programs and definitions held in memory. */
const charactersMost = 32 * 1024 * 1024

export class Definitions extends Context.Service<
  Definitions,
  {
    /** `undefined` when the pipeline has none, or is gone. */
    readonly of: (id: string) => Effect.Effect<Whole | undefined, Failure<"LogUnavailable">>
  }
>()("millrace/server/Definitions") {
  static readonly layer: Layer.Layer<Definitions, never, EventLog | LiveRoster> = Layer.effect(
    Definitions,
    Effect.gen(function* () {
      const log = yield* EventLog
      const roster = yield* LiveRoster
      const held = new Held()

      const of = Effect.fnUntraced(function* (
        id: string
      ): Effect.fn.Return<Whole | undefined, Failure<"LogUnavailable">> {
        while (true) {
          const listed = Roster.find((yield* refusing(roster.now)).state, id)
          if (listed === undefined || listed.version.value === 0) return undefined
          const known = held.get(id, listed.version.value)
          if (known !== undefined) return { listed, definition: known }
          const { state } = yield* refusing(loadState(log, pipelineStream(id)))
          if (state.definition === null) return undefined
          held.set(id, state.definition)
          // It may have been defined anew in between: then both are looked at again.
          if (state.definition.version === listed.version.value)
            return { listed, definition: state.definition }
        }
      })
      return Definitions.of({ of })
    })
  )
}

class Held {
  readonly #byId = new Map<string, DefinitionState>()
  #characters = 0

  get(id: string, version: number): DefinitionState | undefined {
    const known = this.#byId.get(id)
    return known?.version === version ? known : undefined
  }

  set(id: string, definition: DefinitionState): void {
    this.#forget(id)
    this.#byId.set(id, definition)
    this.#characters += sizeOf(definition)
    for (const oldest of this.#byId.keys()) {
      if (this.#characters <= charactersMost) break
      this.#forget(oldest)
    }
  }

  #forget(id: string): void {
    const known = this.#byId.get(id)
    if (known === undefined) return
    this.#characters -= sizeOf(known)
    this.#byId.delete(id)
  }
}

/** The compiled form is about as long as the text; a floor keeps many small ones bounded, too. */
const sizeOf = ({ text }: DefinitionState): number => 1024 + 2 * text.length
