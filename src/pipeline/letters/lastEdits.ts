/**
 * What letters were edited to when they were last tried: an edit holds until another takes its place, so that a
 * letter that was handled for some of its sinks comes to the others as the same record.
 *
 * @module
 */
import { Effect, Stream } from "effect"
import { type PipelineEvent, pipelineStream } from "../../../events/PipelineEvent.ts"
import { decodePipelineEvent, type UndecodableEvent } from "../../../events/upcast.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import type { Edits } from "./LetterRequest.ts"
import type { Standing } from "./readStanding.ts"

/** By letter, the version of the request that holds the edit in force at each of its redrives. */
export class EditVersions {
  readonly #versions = new Map<string, Array<number | undefined>>()

  see(event: PipelineEvent, version: number): void {
    if (event._tag === "RedriveRequested") {
      const edited = new Set(event.edits.map(({ letter }) => letter))
      for (const { letter } of event.letters) {
        const known = this.#versions.get(letter) ?? []
        known.push(edited.has(letter) ? version : known.at(-1))
        this.#versions.set(letter, known)
      }
    }
    // What was taken back before it began has edited nothing.
    if (event._tag === "RedrivesWithdrawn")
      for (const letter of event.letters) this.#versions.get(letter)?.pop()
  }

  of(letter: string): number | undefined {
    return this.#versions.get(letter)?.at(-1)
  }
}

/** The payloads of those of these letters that have been edited. */
export const lastEdits = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  id: string,
  { edits }: Pick<Standing, "edits">,
  letters: ReadonlyArray<{ readonly id: string }>
): Effect.fn.Return<Edits, LogError | UndecodableEvent> {
  const found: Record<string, unknown> = {}
  const byVersion = new Map<number, Set<string>>()
  for (const letter of letters) {
    const version = edits.of(letter.id)
    if (version === undefined) continue
    byVersion.set(version, (byVersion.get(version) ?? new Set()).add(letter.id))
  }
  for (const [version, wanted] of byVersion) {
    yield* Stream.runForEach(log.read(pipelineStream(id), { after: version - 1, limit: 1 }), (row) =>
      Effect.map(Effect.fromResult(decodePipelineEvent(row)), (event) => {
        if (event._tag !== "RedriveRequested") return
        for (const { letter, payload } of event.edits) if (wanted.has(letter)) found[letter] = payload
      })
    )
  }
  return found
})
