/**
 * The bytes of a record as a dead letter keeps them.
 *
 * @module
 */
import { hash } from "node:crypto"
import type { Raw } from "../../../../events/PipelineEvent.ts"
import { decode, type TextWindow } from "./TextWindow.ts"

/** Bytes of a record a letter holds; beyond it only the size and the digest are kept. */
export const rawCap = 256 * 1024

/** UTF-8 text: kept as it is. */
export const rawOfText = (text: string): Raw => {
  const size = Buffer.byteLength(text, "utf8")
  return size > rawCap
    ? { encoding: "omitted", data: "", size, digest: hash("sha256", text, "hex") }
    : { encoding: "utf8", data: text, size }
}

/** A stretch of a window: text when it is UTF-8, base64 otherwise. */
export const rawOfWindow = (window: TextWindow, from: number, to: number): Raw => {
  const text = decode(window, from, to)
  if (text !== undefined) return rawOfText(text)
  const bytes = window.bytes.subarray(from, to)
  return bytes.length > rawCap
    ? { encoding: "omitted", data: "", size: bytes.length, digest: hash("sha256", bytes, "hex") }
    : { encoding: "base64", data: bytes.toString("base64"), size: bytes.length }
}

/** A stretch of a window by its size and digest alone. */
export const omittedOfWindow = (window: TextWindow, from: number, to: number): Raw => {
  const text = window.text.slice(from, to)
  const bytes = Buffer.from(text, window.valid ? "utf8" : "latin1")
  return { encoding: "omitted", data: "", size: bytes.length, digest: hash("sha256", bytes, "hex") }
}
