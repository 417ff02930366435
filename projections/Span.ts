/**
 * The windows of one group, side by side in the order of their start.
 *
 * @module
 */

/** From `start` up to, not including, `end` (ms), and what belongs to it. */
export type Span<A> = { readonly start: number; readonly end: number; readonly made: A }

/** What came `earlier` and `later` into the same window. */
export type Together<A> = (earlier: A, later: A) => A

/** Adds windows that are told apart by their start. Both lists are in the order of their start. */
export const addSpans = <A>(
  spans: ReadonlyArray<Span<A>>,
  added: ReadonlyArray<Span<A>>,
  together: Together<A>
): ReadonlyArray<Span<A>> => {
  if (added.length === 1) return addSpan(spans, added[0]!, together)
  const all: Array<Span<A>> = []
  let next = 0
  for (const span of spans) {
    while (next < added.length && added[next]!.start < span.start) all.push(added[next++]!)
    const same = next < added.length && added[next]!.start === span.start
    all.push(same ? { ...span, made: together(span.made, added[next++]!.made) } : span)
  }
  return [...all, ...added.slice(next)]
}

const addSpan = <A>(
  spans: ReadonlyArray<Span<A>>,
  added: Span<A>,
  together: Together<A>
): ReadonlyArray<Span<A>> => {
  const index = spans.findLastIndex(({ start }) => start <= added.start)
  const span = spans[index]
  return span?.start === added.start
    ? spans.with(index, { ...span, made: together(span.made, added.made) })
    : spans.toSpliced(index + 1, 0, added)
}

/** Adds a session: it becomes one with all those it overlaps. A session that ends where it starts is another one. */
export const addSession = <A>(
  spans: ReadonlyArray<Span<A>>,
  added: Span<A>,
  together: Together<A>
): ReadonlyArray<Span<A>> => {
  const until = spans.findLastIndex(({ start }) => start < added.end) + 1
  let from = until
  while (from > 0 && spans[from - 1]!.end > added.start) from--
  const [first, ...others] = spans.slice(from, until)
  if (first === undefined) return spans.toSpliced(from, 0, added)
  // Sessions that meet share no event time, so their order among each other shows in nothing.
  const made = together(
    others.reduce((sum, other) => together(sum, other.made), first.made),
    added.made
  )
  const start = Math.min(first.start, added.start)
  const end = Math.max(spans[until - 1]!.end, added.end)
  return spans.toSpliced(from, until - from, { start, end, made })
}
