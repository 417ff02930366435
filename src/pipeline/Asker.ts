/**
 * Who asks for something, as the log is to name them.
 *
 * @module
 */

/**
 * A name (a token's, `schedule`, `engine`, the local user), and the id of the command where its sender gave it
 * one: every event the command causes carries that id, so that a repeated request is known by it.
 */
export type Asker = string | { readonly by: string; readonly correlationId?: string | undefined }

export const nameOf = (asker: Asker): string => (typeof asker === "string" ? asker : asker.by)

/** The id the sender gave; `undefined` when one is to be made. */
export const correlationOf = (asker: Asker): string | undefined =>
  typeof asker === "string" ? undefined : asker.correlationId
