/**
 * An aggregating stage at work: takes records into windows, and makes a record of each window that is over.
 *
 * @module
 */
import type { StageDelta, WindowsStep } from "../../../events/BatchMemory.ts"
import type { WindowsDelta } from "../../../events/WindowsDelta.ts"
import * as Windows from "../../../projections/Windows.ts"
import { RecordFailure, type Take } from "../route/Route.ts"
import type { Aggregator, Contribution } from "../stages/compileAggregate.ts"
import type { Extent } from "../stages/windowsOf.ts"
import type { StageWithMemory } from "./StageWithMemory.ts"

/** `windowsOf` says which windows an instant belongs to. */
export const windowsMemory = (
  name: string,
  aggregator: Aggregator,
  windowsOf: (at: number) => ReadonlyArray<Extent>
): { readonly take: Take; readonly memory: StageWithMemory } => {
  let open = Windows.empty
  let closedTo: number | null = null
  let contribution: Contribution | undefined
  const { behind, grown } = once()
  const take: Take = (payload, scope) => {
    if (contribution === undefined) {
      throw new RecordFailure(
        "late",
        `${name} has made its windows of that time: what they counted stays, so discard this once other sinks have it`
      )
    }
    if (closedTo !== null && scope.event_time !== null && isOver(windowsOf(scope.event_time), closedTo)) {
      throw new RecordFailure("late", `the windows of ${name} that it belongs to are closed`)
    }
    return contribution.add(payload, scope)
  }
  const learned = (closing: number | null): WindowsStep | undefined => {
    const all = contribution?.delta()
    const add = all === undefined ? undefined : stillOpen(all, closedTo)
    const after = add === undefined ? open : grown(open, add)
    const isDue = closing !== null && (Windows.soonest(after) ?? Number.POSITIVE_INFINITY) <= closing
    if (add === undefined && !isDue) return undefined
    return { ...(add === undefined ? {} : { add }), ...(isDue ? { close: closing } : {}) }
  }
  const memory: StageWithMemory = {
    name,
    restore: (known) => {
      if (known !== undefined && "windows" in known) open = known.windows
    },
    begin: (closed) => {
      closedTo = closed
      contribution = aggregator.contribution(open)
    },
    learned,
    made: (delta) =>
      behind(open, delta).closed.map((closed) => ({
        payload: aggregator.record(closed),
        metadata: {},
        // The last instant of the window: in the windows of a next aggregate it belongs where its records did.
        eventTime: closed.end - 1
      })),
    keep: (delta) => {
      open = behind(open, delta).windows
    },
    rest: () => {
      contribution = undefined
    }
  }
  return { take, memory }
}

const isOver = (windows: ReadonlyArray<Extent>, closedTo: number): boolean =>
  windows.length > 0 && windows.every(({ end }) => end <= closedTo)

/** Of the windows a late record belongs to, those that have been closed stay closed. */
const stillOpen = (delta: WindowsDelta, closedTo: number | null): WindowsDelta | undefined => {
  const windows = delta.windows.filter(({ end }) => closedTo === null || end > closedTo)
  return windows.length === 0 ? undefined : { ...delta, windows }
}

type Closing = ReturnType<typeof Windows.close>

/** What a batch does to the windows is asked for when it is learned, when records are made of it, and when it is kept. */
const once = () => {
  let last = { open: Windows.empty, add: undefined as WindowsDelta | undefined, after: Windows.empty }
  let closed = { open: Windows.empty, before: Number.NaN, result: undefined as Closing | undefined }
  const grown = (open: Windows.Windows, add: WindowsDelta): Windows.Windows => {
    if (last.add !== add || last.open !== open) last = { open, add, after: Windows.apply(open, add) }
    return last.after
  }
  const close = (open: Windows.Windows, before: number): Closing => {
    if (closed.result === undefined || closed.open !== open || closed.before !== before) {
      closed = { open, before, result: Windows.close(open, before) }
    }
    return closed.result!
  }
  const behind = (open: Windows.Windows, delta: StageDelta): Closing => {
    if ("keys" in delta) return { windows: open, closed: [] }
    const after = delta.add === undefined ? open : grown(open, delta.add)
    return delta.close === undefined ? { windows: after, closed: [] } : close(after, delta.close)
  }
  return { behind, grown }
}
