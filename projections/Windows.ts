/**
 * The open windows of an aggregating stage: what the deltas of its batches add up to.
 *
 * Which records came in which batch makes no difference: the same records in the same order give the same
 * windows, down to their JSON text. Sums are exact for that reason.
 *
 * @module
 */
import type { Measured, WindowOfGroup, WindowsDelta } from "../events/WindowsDelta.ts"

/**
 * Plain JSON, never changed. Groups hang in a tree by the hash of their key, so that a batch copies the
 * groups it touches and the way to them, and closing looks only where a window ends soon enough.
 * `arrivals` is how many records were ever taken in.
 */
export type Windows = { readonly arrivals: number; readonly tree: Tree }

type OpenWindow = { readonly start: number; readonly end: number; readonly made: ReadonlyArray<Measured> }

/** The windows of one group, earliest first. */
type Group = { readonly key: string; readonly windows: ReadonlyArray<OpenWindow> }

/** How many windows are open below, in how many groups, and when the first of them ends (ms, null for none). */
type Below = { readonly open: number; readonly size: number; readonly soonest: number | null }
type Leaf = Below & { readonly groups: ReadonlyArray<Group> }
type Branch = Below & { readonly branches: ReadonlyArray<Tree | null> }
type Tree = Leaf | Branch

export const empty: Windows = { arrivals: 0, tree: { open: 0, size: 0, soonest: null, groups: [] } }

/** How many windows are open, every group's counted. */
export const openCount = (windows: Windows): number => windows.tree.open

/** The windows after a batch. */
export declare const apply: (windows: Windows, delta: WindowsDelta) => Windows

/** Takes out the windows that end at `before` (ms) or earlier, in the order of end, start and key. */
export declare const close: (
  windows: Windows,
  before: number
) => { readonly windows: Windows; readonly closed: ReadonlyArray<WindowOfGroup> }

/** The open windows of a group, earliest first. */
export declare const ofGroup: (windows: Windows, key: string) => ReadonlyArray<OpenWindow>
