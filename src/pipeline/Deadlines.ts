/**
 * How long things may take before they end by force, or are said not to move.
 *
 * @module
 */

/** How long (ms) a state of passage may last before it ends in `Failed`, or by force. */
export interface Deadlines {
  readonly initializing: number
  /** From the wish to pause or shut down until a run that does not drain is cut off. */
  readonly draining: number
  /** How long a run may do nothing, with something to do, before the pipeline says so. */
  readonly progress: number
}

export const defaultDeadlines: Deadlines = {
  initializing: 600_000,
  draining: 60_000,
  progress: 300_000
}
