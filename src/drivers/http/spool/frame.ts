/**
 * One request's records on the disk: a head of 64 bytes, then the records as lines.
 *
 *     0 magic · 4 bytes of records · 8 number of records · 12 CRC-32 of the records
 *     16 digest of the key (zeros: none) · 32 digest of the request · 60 CRC-32 of the head
 *
 * A frame counts only when all of it is there, so a request is stored whole or not at all.
 *
 * @module
 */
import { crc32 } from "node:zlib"

export const frameHeadBytes = 64
const magic = 0x4d52_4631
const crcAt = 60

/** A key as the spool remembers it; both digests are 32 hex digits. */
export interface FrameKey {
  readonly key: string
  readonly request: string
}

export interface FrameHead {
  readonly bytes: number
  readonly records: number
  readonly crc: number
  readonly key: FrameKey | undefined
}

export const encodeHead = ({ bytes, crc, key, records }: FrameHead): Buffer => {
  const head = Buffer.alloc(frameHeadBytes)
  head.writeUInt32LE(magic, 0)
  head.writeUInt32LE(bytes, 4)
  head.writeUInt32LE(records, 8)
  head.writeUInt32LE(crc, 12)
  if (key !== undefined) {
    head.write(key.key, 16, 16, "hex")
    head.write(key.request, 32, 16, "hex")
  }
  head.writeUInt32LE(crc32(head.subarray(0, crcAt)), crcAt)
  return head
}

/** `undefined` when these bytes are no head of a frame. */
export const decodeHead = (head: Buffer): FrameHead | undefined => {
  if (head.length < frameHeadBytes || head.readUInt32LE(0) !== magic) return undefined
  if (head.readUInt32LE(crcAt) !== crc32(head.subarray(0, crcAt))) return undefined
  const key = head.toString("hex", 16, 32)
  return {
    bytes: head.readUInt32LE(4),
    records: head.readUInt32LE(8),
    crc: head.readUInt32LE(12),
    key: key === noKey ? undefined : { key, request: head.toString("hex", 32, 48) }
  }
}

const noKey = "0".repeat(32)
