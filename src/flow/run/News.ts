/**
 * What a pump was told since its last append, sorted by what the append is to say of it.
 *
 * @module
 */

import type { Redriven } from "../redrive/RedriveWriting.ts"
import type { RedriveRefused } from "../redrive/Redriving.ts"
import type { Applied, RedriveConfirmed, Retry } from "./Journal.ts"
import type { RedriveName } from "./Lane.ts"
import type { Message } from "./PumpContext.ts"
import type { Prepared } from "./Reader.ts"

export type RefusedMessage = Extract<Message, { readonly _tag: "Refused" }>

export interface News {
  readonly prepared: Array<Prepared>
  readonly refusals: Array<RefusedMessage>
  readonly applied: Array<Applied>
  readonly redrives: Array<Redriven>
  readonly redriveRefusals: Array<RedriveRefused>
  readonly redriven: Array<RedriveConfirmed>
  readonly retries: Array<Retry>
}

export const noNews = (): News => ({
  prepared: [],
  refusals: [],
  applied: [],
  redrives: [],
  redriveRefusals: [],
  redriven: [],
  retries: []
})

/** A lane's confirmation of what it was given for a redrive. */
export const confirmed = (
  { letter, n }: RedriveName,
  { batch: _, ...applied }: Applied
): RedriveConfirmed => ({
  ...applied,
  letter,
  n
})
