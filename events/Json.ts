/**
 * A JSON value inside an event.
 *
 * @module
 */
import { Schema } from "effect"

/**
 * Not looked at when an event is read: its text has been through `JSON.parse`, so it is JSON already, and
 * walking it once more took most of the time of folding a long history.
 */
export const Json = Schema.Unknown as unknown as Schema.Codec<Schema.Json>
