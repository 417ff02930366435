/**
 * A payload as a sink would keep it: plain JSON. What JSON cannot hold is refused, so that the record is a
 * dead letter in a rehearsal as it would be in a file.
 *
 * @module
 */
import { encodeJson } from "../../drivers/file/sink/encodeJson.ts"

export const asWritten = (payload: unknown): unknown => JSON.parse(encodeJson(payload))
