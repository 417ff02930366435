/**
 * An event as it leaves the service, the same as `millrace events --json`.
 *
 * @module
 */
import { Schema } from "effect"
import { Timestamp } from "./values.ts"

export const EventJson = Schema.Struct({
  version: Schema.Int,
  position: Schema.Int,
  type: Schema.String,
  at: Timestamp,
  by: Schema.String,
  event_id: Schema.String,
  epoch: Schema.Int,
  hash: Schema.String,
  payload: Schema.Json
}).annotate({ identifier: "Event" })
export type EventJson = typeof EventJson.Type

/** `next` is the version to go on after; `null` when there was no more. */
export const EventPage = Schema.Struct({ events: Schema.Array(EventJson), next: Schema.NullOr(Schema.Int) })
export type EventPage = typeof EventPage.Type

/** A frame of `text/event-stream`: its id is the event's version, its name the event's type. */
export const EventFrame = Schema.Struct({
  id: Schema.String,
  event: Schema.String,
  data: Schema.fromJsonString(EventJson)
})
export type EventFrame = typeof EventFrame.Type
