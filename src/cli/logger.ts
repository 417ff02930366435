/**
 * The log of the program itself: on stderr, a line each, and no stack unless it was asked for.
 *
 * @module
 */
import { Cause, Logger, References } from "effect"
import { shown } from "./terminal.ts"

export interface LoggerOptions {
  /** `pretty` is for people, `json` one object a line for whoever collects them. */
  readonly format: LogFormat
  /** With causes: where it happened, and what led to it. */
  readonly debugging: boolean
}

export type LogFormat = "pretty" | "json"

export const makeLogger = (
  { debugging, format }: LoggerOptions,
  write: (line: string) => void
): Logger.Logger<unknown, void> =>
  Logger.make(({ cause, date, fiber, logLevel, message }) => {
    const level = logLevel.toLowerCase()
    const text = (Array.isArray(message) ? message : [message]).map(partOf).join(" ")
    const trace = debugging && cause.reasons.length > 0 ? Cause.pretty(cause) : undefined
    const about = fiber.getRef(References.CurrentLogAnnotations)
    if (format === "json") {
      const line = {
        time: date.toISOString(),
        level,
        message: text,
        ...plain(about),
        ...(trace && { trace })
      }
      return write(`${JSON.stringify(line)}\n`)
    }
    const named = Object.entries(about).map(([name, value]) => ` ${name}=${partOf(value)}`)
    write(`${level}: ${shown(text)}${shown(named.join(""))}${trace === undefined ? "" : `\n${trace}`}\n`)
  })

/** An error says its message; a secret says that it is one. */
const partOf = (part: unknown): string => {
  if (typeof part === "string") return part
  return part instanceof Error ? part.message : String(JSON.stringify(part))
}

/** What a line says of itself is not said over by an annotation. */
const plain = (annotations: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [
      ownFields.has(name) ? `annotation_${name}` : name,
      partOf(value)
    ])
  )

const ownFields: ReadonlySet<string> = new Set(["time", "level", "message", "trace"])
