/**
 * A failing case made as small as it gets: whatever can be left out while it still fails is left out.
 *
 * @module
 */
import type { Case, Node } from "./Case.ts"

/** Tries at most so many smaller cases. */
const triesMost = 400

/** Smaller cases are tried one after the other; the first that still fails is gone on with. */
export const shrink = async (of: Case, fails: (smaller: Case) => Promise<boolean>): Promise<Case> => {
  let smallest = of
  let tries = 0
  let found = true
  while (found) {
    found = false
    for (const smaller of smallerThan(smallest)) {
      if (++tries > triesMost) return smallest
      if (!(await fails(smaller))) continue
      smallest = smaller
      found = true
      break
    }
  }
  return smallest
}

/** The large steps first. */
function* smallerThan(of: Case): Iterable<Case> {
  if (of.deaths.length > 0) yield { ...of, deaths: [] }
  if (of.faults.length > 0) yield { ...of, faults: [] }
  for (const { does, name } of of.nodes) {
    const smaller =
      does.kind === "sink" || does.kind === "source" ? withoutEnd(of, name) : withoutStage(of, name)
    if (smaller !== undefined) yield smaller
  }
  for (const [source, items] of Object.entries(of.records)) {
    const keep = (kept: typeof items): Case => ({ ...of, records: { ...of.records, [source]: kept } })
    for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < items.length; at += size) yield keep(items.toSpliced(at, size))
    }
    const plain = items.map((item) => (item === null ? null : { ...item, lists: item.lists.map(() => null) }))
    if (JSON.stringify(plain) !== JSON.stringify(items)) yield keep(plain)
  }
  for (let at = 0; at < of.deaths.length; at++) yield { ...of, deaths: of.deaths.toSpliced(at, 1) }
  for (const [at, death] of of.deaths.entries()) {
    if (death.late !== null) yield { ...of, deaths: of.deaths.with(at, { ...death, late: null }) }
  }
  for (let at = 0; at < of.faults.length; at++) yield { ...of, faults: of.faults.toSpliced(at, 1) }
  for (const [at, node] of of.nodes.entries()) {
    for (const plainer of plainerThan(node)) {
      const smaller = sound({ ...of, nodes: of.nodes.with(at, plainer) })
      if (smaller !== undefined) yield smaller
    }
  }
  if (of.deadLetters.window > 0) yield { ...of, deadLetters: { window: 0, threshold: 0 } }
  if (of.merge !== "arrival") yield { ...of, merge: "arrival" }
  if (
    of.late !== null &&
    of.merge !== "event_time" &&
    of.nodes.every(({ does }) => does.kind !== "aggregate")
  )
    yield { ...of, late: null }
  if (of.inFlight > 1) yield { ...of, inFlight: 1 }
  if (of.checkpointInterval !== "0s") yield { ...of, checkpointInterval: "0s" }
}

function* plainerThan(node: Node): Iterable<Node> {
  for (const [at, edge] of node.edges.entries()) {
    yield { ...node, edges: node.edges.toSpliced(at, 1) }
    if (edge.when !== null) yield { ...node, edges: node.edges.with(at, { ...edge, when: null }) }
  }
  if (node.breaks !== null) yield { ...node, breaks: null }
  const { does } = node
  if (does.kind !== "sink") return
  if (does.refuses !== null) yield { ...node, does: { ...does, refuses: null } }
  if (does.cannotEncode !== null) yield { ...node, does: { ...does, cannotEncode: null } }
}

const withoutEnd = (of: Case, name: string): Case | undefined => {
  const { [name]: _, ...records } = of.records
  return sound({
    ...of,
    records,
    nodes: of.nodes.flatMap((node) =>
      node.name === name ? [] : [{ ...node, edges: node.edges.filter(({ to }) => to !== name) }]
    )
  })
}

/** Its records go straight to where it sent them. */
const withoutStage = (of: Case, name: string): Case | undefined => {
  const behind = of.nodes.find((node) => node.name === name)!.edges
  return sound({
    ...of,
    nodes: of.nodes.flatMap((node) => {
      if (node.name === name) return []
      const way = node.edges.find(({ to }) => to === name)
      const others = node.edges.filter(({ to }) => to !== name)
      if (way === undefined) return [node]
      const fresh = behind.filter(({ to }) => !others.some((other) => other.to === to))
      return [{ ...node, edges: [...others, ...fresh.map(({ to }) => ({ to, when: way.when }))] }]
    })
  })
}

/** Every stage is led to and leads on, or it is no case. */
const sound = (of: Case): Case | undefined => {
  const led = new Set(of.nodes.flatMap(({ edges }) => edges.map(({ to }) => to)))
  const lost = of.nodes.find(({ does, edges, name }) =>
    does.kind === "sink" ? !led.has(name) : edges.length === 0 || (does.kind !== "source" && !led.has(name))
  )
  const kinds = new Set(of.nodes.map(({ does }) => does.kind))
  if (!kinds.has("source") || !kinds.has("sink")) return undefined
  if (lost === undefined) return of
  // A stage that nothing leads to goes with what hangs on it alone; one that leads nowhere is another matter.
  return lost.does.kind === "source" || led.has(lost.name) ? undefined : withoutEnd(of, lost.name)
}
