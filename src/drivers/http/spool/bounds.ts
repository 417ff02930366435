/**
 * How much a spool may take, each with what happens beyond it.
 *
 * @module
 */

export interface SpoolBounds {
  /** Bytes after which a new segment is begun; a single larger body has one of its own. */
  readonly segmentBytes: number
  /** Frames after which a new segment is begun: a segment's index is held in memory. */
  readonly segmentFrames: number
  /** Bytes one stage may have on the disk: `Full`. */
  readonly spoolBytes: number
  /** Bytes of one body: `TooLarge`. */
  readonly bodyBytes: number
  /** Bytes of a body that are held in memory; a larger one goes to the disk as it arrives. */
  readonly heldBytes: number
  /** Bytes all bodies that are still arriving may have on the disk: `Full`. */
  readonly incomingBytes: number
  /** Keys a stage remembers, the last ones. */
  readonly keys: number
  /** Bytes that are made durable together at most, so that nobody waits for all the others. */
  readonly groupBytes: number
}

const mebibyte = 1024 * 1024

export const defaultBounds: SpoolBounds = {
  segmentBytes: 16 * mebibyte,
  segmentFrames: 65_536,
  spoolBytes: 256 * mebibyte,
  bodyBytes: 16 * mebibyte,
  heldBytes: 256 * 1024,
  incomingBytes: 1024 * mebibyte,
  keys: 1000,
  groupBytes: 4 * mebibyte
}
