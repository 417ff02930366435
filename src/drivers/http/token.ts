/**
 * Completion tokens: `<stage>.<records before>.<check>`, so that one of another spool is not taken for ours.
 *
 * @module
 */
import { hash } from "node:crypto"

export const writeToken = (spool: string, stage: string, ordinal: number): string =>
  `${stage}.${ordinal}.${hash("sha256", JSON.stringify([spool, stage, ordinal]), "hex").slice(0, 12)}`

/** What a token says; whoever asks compares it with the one that would have been written. */
export const readToken = (token: string): { readonly stage: string; readonly ordinal: number } => {
  const [, stage = "", ordinal = ""] = /^(.*)\.([0-9]{1,15})\.[0-9a-f]{12}$/s.exec(token) ?? []
  return { stage, ordinal: Number(ordinal) }
}
