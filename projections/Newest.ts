/**
 * The newest items of a history, as many as somebody will ask for: what came before is in the log.
 *
 * A linked list, because one more item must not cost a copy of those there are; it is cut back when it has
 * grown to twice its bound, so an item costs the same however long the history is.
 *
 * @module
 */

interface Cell<A> {
  readonly item: A
  readonly before: Cell<A> | null
}

export interface Newest<A> {
  readonly last: Cell<A> | null
  /** Items that are kept: at most twice `most`. */
  readonly length: number
  /** Items that will be answered for. */
  readonly most: number
}

export const empty = <A>(most: number): Newest<A> => ({ last: null, length: 0, most })

export const add = <A>(newest: Newest<A>, item: A): Newest<A> => {
  const grown = { ...newest, last: { item, before: newest.last }, length: newest.length + 1 }
  return grown.length < 2 * newest.most ? grown : cutBack(grown)
}

/** Another item in place of the last one; there is one. */
export const replaceLast = <A>(newest: Newest<A>, item: A): Newest<A> => ({
  ...newest,
  last: { item, before: newest.last?.before ?? null }
})

/** The newest first; at most `limit`, and never more than the bound. */
export const list = <A>({ last, most }: Newest<A>, limit = most): Array<A> => {
  const items: Array<A> = []
  const wanted = Math.min(limit, most)
  for (let cell = last; cell !== null && items.length < wanted; cell = cell.before) items.push(cell.item)
  return items
}

const cutBack = <A>(newest: Newest<A>): Newest<A> => {
  const items = list(newest)
  let last: Cell<A> | null = null
  for (const item of items.toReversed()) last = { item, before: last }
  return { last, length: items.length, most: newest.most }
}
