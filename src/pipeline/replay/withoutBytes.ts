/**
 * A seal without what its letters hold, for whoever only has to know which letters there are.
 *
 * @module
 */
import type { PipelineEvent } from "../../../events/PipelineEvent.ts"

const noRaw = { encoding: "omitted", data: "", size: 0 } as const

/** Letters keep their place, stage and the code of their reason. */
export const withoutBytes = (event: PipelineEvent): PipelineEvent =>
  event._tag === "BatchSealed" && event.letters.length > 0
    ? {
        ...event,
        letters: event.letters.map((letter) => ({
          ...letter,
          raw: noRaw,
          reason: { code: letter.reason.code, message: "" }
        }))
      }
    : event
