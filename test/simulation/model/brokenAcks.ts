/**
 * Whether a source was told that records are settled before they were.
 *
 * @module
 */
import { rowsOf, type World } from "../World.ts"
import type { Expected } from "./expectedOf.ts"

/** An acknowledgement, and how many rows the log of the pipeline had when it was made. */
export interface SeenAck {
  readonly source: string
  readonly position: number
  readonly rows: number
}

/** No early acknowledgement: what the rows of that moment say is settled without a gap. */
export const brokenAcks = (
  world: World,
  acks: ReadonlyArray<SeenAck>,
  expected: ReadonlyMap<string, ReadonlyArray<Expected>>
): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  let at = 0
  const open = new Map<
    string,
    Array<{ readonly batch: number; readonly end: number; readonly owed: Set<string> }>
  >()
  const settled = new Map<string, number>()
  const rows = rowsOf(world)
  for (const ack of acks) {
    for (; at < ack.rows; at++) follow(JSON.parse(rows[at]!.payload), open, settled)
    const [group, records] = [...expected].find(([name]) => name.split("+").includes(ack.source))!
    const prefix = records
      .slice(0, settled.get(group) ?? 0)
      .filter(({ source }) => source === ack.source).length
    if (ack.position > prefix) wrong.push(`${ack.source} was told ${ack.position} with ${prefix} settled`)
  }
  return wrong
}

// biome-ignore lint/suspicious/noExplicitAny: an oracle reads the log as an auditor does, without our types
const follow = (event: any, open: Map<string, Array<any>>, settled: Map<string, number>): void => {
  if (event._tag === "BatchSealed" && event.attempt === 1) {
    const branches = Object.entries<{ records: number }>(event.branches)
    const owed = new Set(branches.flatMap(([stage, { records }]) => (records > 0 ? [stage] : [])))
    const batch = { batch: event.batch, end: event.offset + event.count, owed }
    open.set(event.source, [...(open.get(event.source) ?? []), batch])
  }
  if (event._tag === "StageApplied" || event._tag === "DuplicateSuppressed") {
    for (const batches of open.values()) {
      for (const { batch, owed } of batches) if (batch === event.batch) owed.delete(event.stage)
    }
  }
  for (const [source, batches] of open) {
    while (batches[0]?.owed.size === 0) settled.set(source, batches.shift()!.end)
  }
}
