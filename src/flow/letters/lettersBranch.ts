/**
 * The branch of the dead letters in a seal: what it counts.
 *
 * @module
 */
import { leftBefore, type Reason, type SealedBranch } from "../../../events/PipelineEvent.ts"
import type { Outcome } from "../Outcome.ts"

/** A letter goes to the dead-letter sink unless it had left before its batch was sealed again. */
export const isSent = ({ reason }: { readonly reason: Reason }): boolean => reason.code !== leftBefore

/**
 * What goes to the sink if this attempt wins on every branch. Mostly it does, and then no other seal is needed.
 */
export const lettersForeseen = ({ count, failures }: Outcome): SealedBranch => {
  const indices = new Set(failures.filter(isSent).map(({ index }) => index))
  const ofSource = [...indices].filter((index) => index >= 0).length
  return lettersSealed({ count, records: indices.size, delivered: ofSource, refused: 0 })
}

/** `delivered` of the `count` source records are written, `refused` the sink does not take; the rest is no letter. */
export const lettersSealed = ({
  count,
  delivered,
  records,
  refused
}: Readonly<Record<"count" | "records" | "delivered" | "refused", number>>): SealedBranch => ({
  records,
  delivered,
  filtered: count - delivered - refused,
  unrouted: 0,
  lettered: refused,
  ofLetters: true
})
