/**
 * How far event time is: at every source that has any, and at all of them together.
 *
 * @module
 */
import { endOfTime } from "../../events/BatchMemory.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { timeNow } from "../../projections/RunMemory.ts"
import { eventTimeText } from "../server/historyJson.ts"
import { isoTime } from "./isoTime.ts"

/** Rows of a table; none of a run without event time. */
export const eventTimeRows = ({ run }: PipelineState): ReadonlyArray<readonly [string, string]> => {
  const time = timeNow(run?.memory)
  if (time === null) return []
  const told = (at: number) => (at === endOfTime ? "its end" : isoTime(at))
  const sources = Object.entries(time.watermarks).map(
    ([source, at]) => `${source} at ${told(at)}${time.idle.includes(source) ? " (idle)" : ""}`
  )
  const together =
    time.combined === null
      ? "together nowhere until each source has given a record"
      : `together at ${told(time.combined)}`
  const all = time.combined !== null && sources.length < 2 ? [] : [together]
  return [...sources, ...all].map((line) => ["event time", line] as const)
}

/** For a program, in ISO 8601; `null` at the end of a source, as the statistics of the API have it. */
export const eventTimeJson = ({ run }: PipelineState) => {
  const time = timeNow(run?.memory)
  if (time === null) return {}
  const { combined, idle, watermarks } = time
  const texts = Object.entries(watermarks).map(([source, at]) => [source, eventTimeText(at)] as const)
  return {
    event_time: { idle, watermarks: Object.fromEntries(texts), combined: eventTimeText(combined) }
  }
}
