/**
 * The open windows of an aggregating stage: what the deltas of its batches add up to.
 *
 * Which records came in which batch makes no difference: the same records in the same order give the same
 * windows, down to their JSON text. Sums are exact for that reason.
 *
 * @module
 */
import type { Measured, WindowOfGroup, WindowsDelta } from "../events/WindowsDelta.ts"
import { addAllMeasured } from "./addMeasured.ts"
import { closeTree, emptyTree, type GroupTree, groupOf, groupsOf, growTree } from "./GroupTree.ts"
import { addSession, addSpans, type Span } from "./Span.ts"

/** An open window of a group. */
export type OpenWindow = Span<ReadonlyArray<Measured>>

/**
 * Plain JSON, never changed. A batch copies the groups it touches and the way to them; closing looks only
 * where a window ends soon enough. `arrivals` is how many records were ever taken in.
 */
export type Windows = { readonly arrivals: number; readonly tree: GroupTree<ReadonlyArray<Measured>> }

export const empty: Windows = { arrivals: 0, tree: emptyTree }

/** The windows after a batch. */
export const apply = (windows: Windows, delta: WindowsDelta): Windows => {
  const added = new Map<string, Array<OpenWindow>>()
  for (const { end, key, made, start } of delta.windows) {
    const span = { start, end, made: made.map((share) => arrivedAfter(windows.arrivals, share)) }
    const others = added.get(key)
    if (others === undefined) added.set(key, [span])
    else others.push(span)
  }
  const grow = (key: string, open: ReadonlyArray<OpenWindow>): ReadonlyArray<OpenWindow> =>
    delta.sessions
      ? added.get(key)!.reduce((spans, span) => addSession(spans, span, addAllMeasured), open)
      : addSpans(open, added.get(key)!, addAllMeasured)
  return {
    arrivals: windows.arrivals + delta.records,
    tree: growTree(windows.tree, [...added.keys()], grow)
  }
}

/** Takes out the windows that end at `before` (ms) or earlier, in the order of end, start and key. */
export const close = (
  windows: Windows,
  before: number
): { readonly windows: Windows; readonly closed: ReadonlyArray<WindowOfGroup> } => {
  const closed: Array<WindowOfGroup> = []
  const tree = closeTree(windows.tree, before, (key, { end, made, start }) =>
    closed.push({ key, start, end, made })
  )
  if (closed.length === 0) return { windows, closed }
  closed.sort(
    (one, other) => one.end - other.end || one.start - other.start || (one.key < other.key ? -1 : 1)
  )
  return { windows: { ...windows, tree }, closed }
}

/** All open windows as one delta: applied to none, it gives them again. */
export const asDelta = ({ arrivals, tree }: Windows): WindowsDelta => ({
  records: arrivals,
  // They are told apart already; what is not joined now, nothing of this joins.
  sessions: false,
  windows: [...groupsOf(tree)].flatMap(({ key, spans }) =>
    spans.map(({ end, made, start }) => ({ key, start, end, made }))
  )
})

/** How many windows are open, every group's counted. */
export const openCount = (windows: Windows): number => windows.tree.open

/** When the first of them ends (ms); `null` when none is open. */
export const soonest = (windows: Windows): number | null => windows.tree.soonest

/** The open windows of a group, in the order of their start. */
export const ofGroup = (windows: Windows, key: string): ReadonlyArray<OpenWindow> =>
  groupOf(windows.tree, key)?.spans ?? []

/** A delta counts arrivals from its own beginning. */
const arrivedAfter = (arrivals: number, share: Measured): Measured =>
  "collect" in share && arrivals > 0
    ? { ...share, collect: share.collect.map(([at, value]) => [arrivals + at, value] as const) }
    : share
