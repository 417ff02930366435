/**
 * A definition as nodes and edges, with words for what each stage does.
 *
 * @module
 */
import { type Definition, isMapEdit, type Stage } from "../../events/Definition.ts"

export interface Node {
  readonly name: string
  /** What kind of stage it is, and what it does. */
  readonly kind: string
  readonly detail: string
}

export interface Edge {
  readonly from: string
  readonly to: string
  readonly when: string | undefined
}

export const nodesOf = (definition: Definition): ReadonlyArray<Node> =>
  Object.entries(definition.stages).map(([name, stage]) => ({ name, ...wordsOf(stage) }))

export const edgesOf = (definition: Definition): ReadonlyArray<Edge> =>
  Object.entries(definition.stages).flatMap(([to, { from }]) =>
    (from ?? []).map(({ stage, when }) => ({ from: stage, to, when }))
  )

/**
 * The column of each stage: one to the right of everything that leads into it. A valid definition has no
 * cycles; in an invalid one the bound ends the walk.
 */
export const columnsOf = (definition: Definition): ReadonlyMap<string, number> => {
  const names = Object.keys(definition.stages)
  const columns = new Map(names.map((name) => [name, 0]))
  const edges = edgesOf(definition)
  for (let round = 0; round < names.length; round++) {
    let moved = false
    for (const { from, to } of edges) {
      const wanted = (columns.get(from) ?? 0) + 1
      if (wanted <= (columns.get(to) ?? 0)) continue
      columns.set(to, wanted)
      moved = true
    }
    if (!moved) break
  }
  return columns
}

const wordsOf = (stage: Stage): { readonly kind: string; readonly detail: string } => {
  if (stage.source !== undefined) return { kind: "source", detail: endOf(stage.source) }
  if (stage.sink !== undefined) return { kind: "sink", detail: endOf(stage.sink) }
  if (stage.lookup !== undefined) return { kind: "lookup", detail: endOf(stage.lookup) }
  if (stage.filter !== undefined) return { kind: "filter", detail: stage.filter }
  if (stage.map !== undefined) return { kind: "map", detail: mapOf(stage.map) }
  if (stage.function !== undefined) {
    return { kind: "function", detail: `${stage.function.does} each ${stage.function.over}` }
  }
  return { kind: "stage", detail: "" }
}

/** The driver, and the setting that says most about where it leads. */
const endOf = (use: Readonly<Record<string, unknown>> & { readonly use: string }): string => {
  const place = ["path", "table", "topic", "url", "bucket", "name"].map((key) => use[key]).find(isText)
  return place === undefined ? use.use : `${use.use} ${place}`
}

const isText = (value: unknown): value is string => typeof value === "string"

const mapOf = (map: NonNullable<Stage["map"]>): string => {
  if (!isMapEdit(map)) return Object.keys(map).join(", ")
  return [
    ...Object.keys(map.set ?? {}).map((field) => `+${field}`),
    ...(map.drop ?? []).map((field) => `-${field}`)
  ].join(" ")
}
