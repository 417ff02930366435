/**
 * The letters of an open batch that are to go to the dead-letter sink: told from what is sealed and settled alone,
 * so that every life of a run comes to the same.
 *
 * @module
 */
import { deadLettersBranch, type LetterNote, leftBefore } from "../events/PipelineEvent.ts"
import type { OpenBatch } from "./OpenBatch.ts"
import { own } from "./own.ts"

/** A letter that counts, once for all the branches that are owed its record. */
export interface DueLetter extends LetterNote {
  /** How many attempts at the batch had it. */
  readonly attempts: number
}

/** Its letters are to be written, and no dead-letter sink is known to hold them. */
export const owesLetters = (open: OpenBatch | undefined): open is OpenBatch =>
  open?.notes !== undefined && own(open.branches, deadLettersBranch)?.winner === null

/** Every branch but that of the letters has its winner, so it is known which letters count. */
export const isOtherwiseSettled = ({ branches, notes }: OpenBatch): boolean =>
  Object.keys(branches).every(
    (stage) => branches[stage]?.winner !== null || (notes !== undefined && stage === deadLettersBranch)
  )

/**
 * The letters of the attempts that won, source records first, in their order. Of a record that failed in several
 * ways the first branch that was sealed says why. What has left the dead letters since is none any more.
 */
export const lettersDue = (open: OpenBatch): ReadonlyArray<DueLetter> => {
  const due = new Map<string, DueLetter>()
  for (const [stage, { winner }] of Object.entries(open.branches)) {
    if (winner === null || stage === deadLettersBranch) continue
    for (const note of open.notes?.[winner] ?? []) {
      if (!note.branches.includes(stage) || note.reason.code === leftBefore) continue
      const known = due.get(note.id) ?? { ...note, branches: [], attempts: attemptsAt(open, note.id) }
      due.set(note.id, { ...known, branches: [...known.branches, stage] })
    }
  }
  return [...due.values()].sort(
    (a, b) => Number(isMade(a, open)) - Number(isMade(b, open)) || a.offset - b.offset
  )
}

/** Of what a stage has made of its memory, and so of no record of the batch's source. */
export const isMade = ({ source }: LetterNote, open: OpenBatch): boolean => source !== open.source

const attemptsAt = ({ notes = {} }: OpenBatch, id: string): number =>
  Object.values(notes).filter((sealed) => sealed.some((note) => note.id === id)).length
