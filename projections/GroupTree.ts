/**
 * Groups and their windows in a tree by the hash of the group's key: a change copies the groups it is about
 * and the way to them, and every part knows when its first window ends.
 *
 * The shape follows from the groups alone, not from their history: equal content is equal JSON.
 *
 * @module
 */
import type { Span } from "./Span.ts"

/** The windows of one group, in the order of their start; at least one. */
export type Group<A> = { readonly key: string; readonly spans: ReadonlyArray<Span<A>> }

/** How many windows are open below, of how many groups, and when the first of them ends (ms, null for none). */
type Below = { readonly open: number; readonly size: number; readonly soonest: number | null }
type Leaf<A> = Below & { readonly groups: ReadonlyArray<Group<A>> }
type Branch<A> = Below & { readonly branches: ReadonlyArray<GroupTree<A> | null> }
export type GroupTree<A> = Leaf<A> | Branch<A>

export const emptyTree: GroupTree<never> = { open: 0, size: 0, soonest: null, groups: [] }

/** A leaf has at most so many groups, unless their hashes are the same. */
const leafMost = 16
const width = 16
const bits = 4
const deepest = 8

export const groupOf = <A>(tree: GroupTree<A>, key: string): Group<A> | undefined => {
  let at: GroupTree<A> | null = tree
  for (let depth = 0; at !== null; depth++) {
    if ("groups" in at) return at.groups.find((group) => group.key === key)
    at = at.branches[slot(key, depth)]!
  }
  return undefined
}

/** Gives each of these groups, all different, the windows that `grow` makes of those it has. */
export const growTree = <A>(
  tree: GroupTree<A>,
  keys: ReadonlyArray<string>,
  grow: (key: string, spans: ReadonlyArray<Span<A>>) => ReadonlyArray<Span<A>>,
  depth = 0
): GroupTree<A> => {
  if (keys.length === 0) return tree
  if ("groups" in tree) {
    const groups = new Map(tree.groups.map((group) => [group.key, group]))
    for (const key of keys) groups.set(key, { key, spans: grow(key, groups.get(key)?.spans ?? []) })
    return treeOf([...groups.values()], depth)
  }
  const parts = apart(keys, depth, (key) => key)
  return branchOf(
    tree.branches.map((below, index) => {
      const part = parts[index]!
      return part.length === 0 ? below : growTree(below ?? emptyTree, part, grow, depth + 1)
    })
  )
}

/** The tree without the windows that end at `before` or earlier; `closed` is told of each. */
export const closeTree = <A>(
  tree: GroupTree<A>,
  before: number,
  closed: (key: string, span: Span<A>) => void
): GroupTree<A> => {
  if (tree.soonest === null || tree.soonest > before) return tree
  if ("groups" in tree) {
    return leafOf(
      tree.groups.flatMap(({ key, spans }) => {
        const open = spans.filter((span) => span.end > before)
        for (const span of spans) if (span.end <= before) closed(key, span)
        return open.length === 0 ? [] : [{ key, spans: open }]
      })
    )
  }
  const branch = branchOf(
    tree.branches.map((below) => {
      const left = below === null ? null : closeTree(below, before, closed)
      return left === null || left.size === 0 ? null : left
    })
  )
  return branch.size > leafMost ? branch : leafOf([...groupsOf(branch)])
}

const treeOf = <A>(groups: ReadonlyArray<Group<A>>, depth: number): GroupTree<A> => {
  if (groups.length <= leafMost || depth === deepest) return leafOf(groups)
  const parts = apart(groups, depth, ({ key }) => key)
  return branchOf(parts.map((part) => (part.length === 0 ? null : treeOf(part, depth + 1))))
}

const leafOf = <A>(groups: ReadonlyArray<Group<A>>): Leaf<A> => {
  let open = 0
  let soonest: number | null = null
  for (const { spans } of groups) {
    open += spans.length
    for (const { end } of spans) if (soonest === null || end < soonest) soonest = end
  }
  const sorted = groups.toSorted((one, other) => (one.key < other.key ? -1 : 1))
  return { open, size: groups.length, soonest, groups: sorted }
}

const branchOf = <A>(branches: ReadonlyArray<GroupTree<A> | null>): Branch<A> => {
  let [open, size] = [0, 0]
  let soonest: number | null = null
  for (const below of branches) {
    if (below === null) continue
    open += below.open
    size += below.size
    if (below.soonest !== null && (soonest === null || below.soonest < soonest)) soonest = below.soonest
  }
  return { open, size, soonest, branches }
}

/** Every group once; equal content comes in equal order. */
export function* groupsOf<A>(tree: GroupTree<A>): Iterable<Group<A>> {
  if ("groups" in tree) yield* tree.groups
  else for (const below of tree.branches) if (below !== null) yield* groupsOf(below)
}

const apart = <B>(
  all: ReadonlyArray<B>,
  depth: number,
  keyOf: (one: B) => string
): ReadonlyArray<ReadonlyArray<B>> => {
  const parts: Array<Array<B>> = Array.from({ length: width }, () => [])
  for (const one of all) parts[slot(keyOf(one), depth)]!.push(one)
  return parts
}

const slot = (key: string, depth: number): number => (hash(key) >>> (depth * bits)) & (width - 1)

/** FNV-1a over the code units, stirred once more so that every bit counts (the end of MurmurHash3). */
const hash = (key: string): number => {
  let sum = 0x811c9dc5
  for (let index = 0; index < key.length; index++) {
    sum = Math.imul(sum ^ key.charCodeAt(index), 0x01000193)
  }
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b)
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35)
  return sum ^ (sum >>> 16)
}
