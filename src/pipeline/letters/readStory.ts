/**
 * Reads the story of one dead letter.
 *
 * @module
 */
import { Effect } from "effect"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import * as Story from "../../../projections/LetterStory.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { Rejection } from "../Command.ts"
import { foldEvents } from "../history/foldStream.ts"
import type { LetterStory } from "./LetterRequest.ts"

/** One letter's story; `unknown_letter` when the log has none of this id. */
export const readStory = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  pipeline: string,
  letter: string
): Effect.fn.Return<LetterStory, Rejection | LogError | UndecodableEvent> {
  const from = { state: Story.initial(letter), version: 0 }
  const { state } = yield* foldEvents(log, { stream: pipelineStream(pipeline) }, from, Story.evolve)
  const story = Story.tell(state)
  if (story !== undefined) return story
  const message = `the log has no dead letter ${JSON.stringify(letter)}`
  return yield* new Rejection({ code: "unknown_letter", message })
})
