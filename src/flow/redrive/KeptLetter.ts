/**
 * A dead letter as it is read from the log when it is tried again.
 *
 * @module
 */
import type { Effect } from "effect"
import type { EventOf, Letter } from "../../../events/PipelineEvent.ts"
import type { OpenRedrive } from "../../../projections/OpenRedrive.ts"
import type { JournalError } from "../run/Journal.ts"

export interface KeptLetter {
  readonly letter: Letter
  /** The batch it was read in. */
  readonly batch: Pick<EventOf<"BatchSealed">, "batch" | "source" | "range" | "offset" | "count" | "digest">
  /** The payload that takes the place of what was read. */
  readonly edited: { readonly payload: unknown } | undefined
}

/** Finds the letter of a redrive; the log is the only place that has it. */
export type FetchLetter = (redrive: OpenRedrive) => Effect.Effect<KeptLetter, JournalError>
