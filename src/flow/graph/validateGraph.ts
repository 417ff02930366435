/**
 * Is a definition a pipeline that can run? Every reason why not, at once.
 *
 * @module
 */
import { type Definition, kindOf, type Stage, stageKinds } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import { nearest } from "../../../events/nearest.ts"
import { deadLettersBranch } from "../../../events/PipelineEvent.ts"
import { isForbiddenKey } from "../expression/celEnvironment.ts"
import { disconnected } from "./disconnected.ts"
import { needsEventTime } from "./needsEventTime.ts"
import { order, reach, successors } from "./order.ts"
import { edgeAt, validateStages } from "./validateStages.ts"
import { mergeFindings } from "./validateTime.ts"

export { order } from "./order.ts"

const maxStages = 500

/**
 * Findings about the graph, its expressions and its contracts. Pointers are those of the canonical wire
 * form: `from` of a single edge is not a list there.
 */
export const validateGraph = (definition: Definition): ReadonlyArray<Finding> => {
  const names = Object.keys(definition.stages)
  if (names.length === 0) {
    return [finding("no_stages", ["stages"], "A pipeline needs stages: at least a source and a sink")]
  }
  if (names.length > maxStages) {
    return [finding("too_large", ["stages"], `A pipeline has at most ${maxStages} stages`)]
  }
  const edges = names.flatMap((name) => edgeFindings(name, definition))
  return [
    ...names.flatMap((name) => kindFindings(name, definition.stages[name]!)),
    ...edges,
    ...cycleFindings(definition),
    ...wholeFindings(definition),
    ...needsEventTime(definition),
    ...disconnected(definition),
    ...validateStages(definition),
    ...mergeFindings(definition),
    ...nameFindings(definition)
  ]
}

/** Counts, events and outputs know the dead-letter sink by a name of its own. */
const nameFindings = ({ deadLetters, stages }: Definition): ReadonlyArray<Finding> =>
  deadLetters.sink === undefined || !Object.hasOwn(stages, deadLettersBranch)
    ? []
    : [
        finding(
          "reserved_name",
          ["stages", deadLettersBranch],
          `${deadLettersBranch} is the name of the dead-letter sink, which this pipeline has`,
          "another name for the stage"
        )
      ]

const kindFindings = (name: string, stage: Stage): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  if (isForbiddenKey(name))
    findings.push(finding("forbidden_key", ["stages", name], `${name} is refused as a name`))
  if (kindOf(stage) === undefined) {
    const kinds = stageKinds.filter((kind) => stage[kind] !== undefined)
    findings.push(
      finding(
        "stage_kind",
        ["stages", name],
        kinds.length === 0
          ? `${name} does nothing: a stage has one of ${stageKinds.join(", ")}`
          : `${name} is several things at once: ${kinds.join(" and ")}`,
        kinds.length === 0 ? undefined : `A stage for each of ${kinds.join(", ")}, joined by from`
      )
    )
  }
  return findings
}

const edgeFindings = (name: string, definition: Definition): ReadonlyArray<Finding> => {
  const stage = definition.stages[name]!
  const at = ["stages", name, "from"]
  if (stage.from === undefined) {
    if (stage.source !== undefined || kindOf(stage) === undefined) return []
    const before = previous(name, definition)
    return [
      finding(
        "missing_from",
        at,
        `${name} needs a from: the stage its records come from`,
        before === undefined ? undefined : `from: ${before}`
      )
    ]
  }
  if (stage.source !== undefined) {
    return [
      finding(
        "source_with_from",
        at,
        `${name} is a source; its records come from its driver, not from a stage`
      )
    ]
  }
  const seen = new Set<string>()
  return stage.from.flatMap((edge, index) => {
    const findings: Array<Finding> = []
    const place = edgeStageAt(name, stage, index)
    const from = Object.hasOwn(definition.stages, edge.stage) ? definition.stages[edge.stage] : undefined
    if (from === undefined) {
      const near = nearest(
        edge.stage,
        Object.keys(definition.stages).filter((other) => other !== name)
      )
      findings.push(finding("unknown_stage", place, `There is no stage ${edge.stage}`, near))
    } else if (from.sink !== undefined && kindOf(from) === "sink") {
      const before = from.from?.[0]?.stage
      findings.push(
        finding("sink_with_outgoing", place, `${edge.stage} is a sink; nothing comes out of it`, before)
      )
    }
    if (seen.has(edge.stage)) {
      findings.push(
        finding(
          "duplicate_edge",
          place,
          `${edge.stage} is named twice; its records would arrive twice`,
          "Join the two conditions with || or any"
        )
      )
    }
    seen.add(edge.stage)
    return findings
  })
}

const edgeStageAt = (name: string, stage: Stage, index: number): ReadonlyArray<string | number> =>
  stage.from?.[index]?.when === undefined
    ? edgeAt(name, stage, index)
    : [...edgeAt(name, stage, index), "stage"]

/** The stage written before this one, if records could come from it. */
const previous = (name: string, definition: Definition): string | undefined => {
  const names = Object.keys(definition.stages)
  return names
    .slice(0, names.indexOf(name))
    .reverse()
    .find((other) => definition.stages[other]!.sink === undefined)
}

const cycleFindings = (definition: Definition): ReadonlyArray<Finding> =>
  cycles(definition).map((path) =>
    finding(
      "cycle",
      ["stages", path[0]!, "from"],
      `Records would go round for ever: ${[...path, path[0]].join(" → ")}`
    )
  )

/** One cycle for every knot of stages that lead to each other, from its first stage in the file. */
const cycles = (definition: Definition): ReadonlyArray<ReadonlyArray<string>> => {
  const next = successors(definition)
  const settled = new Set<string>()
  const found: Array<ReadonlyArray<string>> = []
  for (const name of Object.keys(definition.stages)) {
    if (settled.has(name)) continue
    const back = wayBack(name, next)
    if (back === undefined) continue
    found.push(back)
    const ahead = reach([name], next)
    for (const other of ahead) if (reach([other], next).has(name)) settled.add(other)
  }
  return found
}

/** The shortest way from a stage to itself. */
const wayBack = (
  name: string,
  next: ReadonlyMap<string, ReadonlySet<string>>
): ReadonlyArray<string> | undefined => {
  const cameFrom = new Map<string, string>()
  const open = [name]
  for (const at of open) {
    for (const to of next.get(at)!) {
      if (to === name) {
        const path = [at]
        while (path[0] !== name) path.unshift(cameFrom.get(path[0]!)!)
        return path
      }
      if (cameFrom.has(to)) continue
      cameFrom.set(to, at)
      open.push(to)
    }
  }
  return undefined
}

/** What only the graph as a whole shows. One mistake gives one finding: what follows from it is not repeated. */
const wholeFindings = (definition: Definition): ReadonlyArray<Finding> => {
  const names = order(definition)
  const has = (kind: "source" | "sink") => names.some((name) => definition.stages[name]![kind] !== undefined)
  const findings: Array<Finding> = []
  if (!has("source")) findings.push(finding("no_source", ["stages"], "No stage is a source: nothing to read"))
  if (!has("sink"))
    findings.push(finding("no_sink", ["stages"], "No stage is a sink: nothing would be written"))
  const next = successors(definition)
  const knotted = new Set(names.filter((name) => wayBack(name, next) !== undefined))
  const fed = reach(
    names.filter((name) => isStart(definition.stages[name]!, definition)),
    next
  )
  for (const name of Object.keys(definition.stages)) {
    const stage = definition.stages[name]!
    if (!fed.has(name) && !knotted.has(name)) {
      findings.push(finding("unreachable", ["stages", name], `No source leads to ${name}`))
    }
    if (
      has("sink") &&
      stage.sink === undefined &&
      kindOf(stage) !== undefined &&
      next.get(name)!.size === 0
    ) {
      findings.push(
        finding(
          "dead_end",
          ["stages", name],
          `The records of ${name} reach no sink`,
          `A stage with from: ${name}`
        )
      )
    }
  }
  return findings
}

/** A source, or a stage whose edges already have a finding of their own. */
const isStart = (stage: Stage, definition: Definition): boolean =>
  stage.source !== undefined ||
  stage.from === undefined ||
  stage.from.some((edge) => !Object.hasOwn(definition.stages, edge.stage))
