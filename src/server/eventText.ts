/**
 * A stored event as it leaves the process: for `millrace events --json` and for the API.
 *
 * @module
 */
import type { StoredEvent } from "../../events/StoredEvent.ts"

/** One line of JSON. The payload is the text of the log itself, so no number changes on the way. */
export const eventText = ({
  at,
  by,
  epoch,
  eventId,
  hash,
  payload,
  position,
  type,
  version
}: StoredEvent): string => {
  const envelope = JSON.stringify({
    version,
    position,
    type,
    at: timeText(at),
    by,
    event_id: eventId,
    epoch,
    hash
  })
  return `${envelope.slice(0, -1)},"payload":${payloadText(payload)}}`
}

/** Milliseconds since 1970 as ISO 8601 in UTC. What is no time at all stays a number: somebody changed the log, and must still be able to look at it. */
export const timeText = (at: number): string =>
  Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at)

const payloadText = (text: string): string => {
  try {
    const value = JSON.parse(text)
    return /[\r\n]/.test(text) ? JSON.stringify(value) : text
  } catch {
    // Somebody changed the log; `verify` says so. The text is still worth showing.
    return JSON.stringify(text)
  }
}
