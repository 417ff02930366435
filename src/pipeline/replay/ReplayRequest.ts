/**
 * What a replay is asked for, and what it would do.
 *
 * @module
 */
import type { Checkpoint } from "../../../events/Checkpoint.ts"

/**
 * Where the run goes back to: its beginning, a version of the log, a moment (milliseconds since 1970), or the
 * version at which a checkpoint was reached. A checkpoint is named by a batch, which it includes, or by an
 * offset of a source, which it does not pass.
 */
export type ReplayFrom =
  | "start"
  | { readonly version: number }
  | { readonly time: number }
  | { readonly checkpoint: { readonly batch: number } }
  | { readonly checkpoint: { readonly source: string; readonly offset: number } }

export interface ReplayRequest {
  readonly from: ReplayFrom
  /** Only the sinks that can be reached from this stage take part; left out, all of them. */
  readonly stage?: string | undefined
  /**
   * `next`: the range is decided anew, and written under new keys. `same`: it is read by the boundaries it was
   * sealed with, under the keys it had, and a sink that still holds a key is left as it is.
   */
  readonly generation?: Generation | undefined
  /** Goes into the log. */
  readonly reason?: string | undefined
}

export interface ReplayOptions extends ReplayRequest {
  /** Only tell what it would come to. */
  readonly dryRun?: boolean | undefined
}
export type Generation = "same" | "next"

/** What a replay comes to, as far as the log can tell. */
export interface ReplayImpact {
  readonly run: string
  /** The version the run goes back to, and when that was (milliseconds since 1970). */
  readonly version: number
  readonly at: number
  readonly generation: number
  readonly stage: string | null
  readonly sources: ReadonlyArray<SourceImpact>
  /** Of the sources that had one by then. */
  readonly checkpoints: ReadonlyArray<Checkpoint>
  readonly sinks: ReadonlyArray<SinkImpact>
  /** Dead letters that are void, because their records are decided anew. */
  readonly lettersVoided: number
}

/** The source is read again from the record at `offset`; `records` of it had been read before. */
export interface SourceImpact {
  readonly source: string
  readonly offset: number
  readonly records: number
}

/**
 * Keys by what becomes of them. `suppressed` are known to have been taken and stay so if the sink still holds
 * them: a file, which holds no keys, is cut back and gets them again. `rewritten` had been taken and are written
 * under a new generation; `new` had been sealed and nobody knows that they were taken.
 */
export interface SinkImpact {
  readonly stage: string
  readonly suppressed: number
  readonly rewritten: number
  readonly new: number
}

/** The same generation puts every batch after the place into one event, which must stay a small one. */
export const reopenedMost = 5000
