/**
 * The pipeline a runtime steps through: sources, then transforms, then sinks, one behind the other.
 * It is a short way of writing a Definition, and is judged by the same rules.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Option, Result, Schema } from "effect"
import {
  type Definition,
  type DefinitionWire,
  decodeDefinition,
  encodeDefinition
} from "../../../events/Definition.ts"
import { type Finding, finding, isError } from "../../../events/Finding.ts"
import type { EventOf } from "../../../events/PipelineEvent.ts"
import { canonical } from "../../flow/contract/Contract.ts"
import { signature } from "../../flow/contract/signature.ts"
import { isForbiddenKey } from "../../flow/expression/celEnvironment.ts"
import { schemaFindings } from "../../flow/graph/schemaFindings.ts"
import { validateGraph } from "../../flow/graph/validateGraph.ts"

/** The kinds of stage a runtime tells apart, in the order in which they stand in a pipeline. */
export const runtimeStageKinds = ["source", "transform", "sink"] as const
export type RuntimeStageKind = (typeof runtimeStageKinds)[number]

/** The name of each kind, for reports and files. A label never changes once it is released. */
export const stageLabels: Readonly<Record<RuntimeStageKind, string>> = {
  source: "source",
  transform: "transform",
  sink: "sink"
}

type StageWire = DefinitionWire["stages"][string]
/** A driver by name, and its own settings. */
export type UseWire = NonNullable<StageWire["source"]>
/** What a transform does, as a pipeline file has it: one of the kinds that are neither source nor sink. */
export type TransformWire = Pick<
  StageWire,
  "filter" | "map" | "explode" | "validate" | "dedupe" | "lookup" | "service" | "aggregate" | "output"
>

/** A stage; `does` is its part of the definition without its edges, which follow from the order. */
export interface RuntimeStage {
  readonly kind: RuntimeStageKind
  readonly name: string
  readonly does: Omit<StageWire, "from">
}

/** A pipeline by name, with its stages in order. */
export interface RuntimePipeline {
  readonly name: string
  readonly stages: ReadonlyArray<RuntimeStage>
}

/** What a source says besides its driver: when its records happened, and what they look like. */
export type SourceWire = Pick<StageWire, "event_time" | "output">

/** A source stage; without a driver it reads a memory table of its own name. */
export const sourceStage = (
  name: string,
  use: UseWire = { use: "memory", name },
  says: SourceWire = {}
): RuntimeStage => ({
  kind: "source",
  name,
  does: { source: use, ...says }
})

/** A transform stage; without a word on what it does, it hands records on as they are. */
export const transformStage = (name: string, does: TransformWire = { map: { drop: [] } }): RuntimeStage => ({
  kind: "transform",
  name,
  does
})

/** A sink stage; without a driver it writes to a memory table of its own name. */
export const sinkStage = (name: string, use: UseWire = { use: "memory", name }): RuntimeStage => ({
  kind: "sink",
  name,
  does: { sink: use }
})

/**
 * The definition of a pipeline, or everything that is wrong with it: names used twice or refused, stages
 * out of order, no source, no sink, and what a pipeline file would be told. Pointers are those of the definition.
 */
export const definitionOf = (
  pipeline: RuntimePipeline
): Result.Result<Definition, ReadonlyArray<Finding>> => {
  const names = nameFindings(pipeline)
  const findings = [...names, ...orderFindings(pipeline)]
  // As a definition, stages of one name would be one stage, and a refused name none.
  if (names.length > 0) return Result.fail(findings)
  const wire = wireOf(pipeline)
  const decoded = decodeDefinition(wire)
  if (Result.isFailure(decoded)) {
    return Result.fail([...findings, ...schemaFindings(decoded.failure.issue, [], wire)])
  }
  // A description has no `from`: where it seems to miss, its source or its order has a finding already.
  const graph = validateGraph(decoded.success).filter(({ code }) => code !== "missing_from")
  const all = [...findings, ...graph]
  return all.some(isError) ? Result.fail(all) : Result.succeed(decoded.success)
}

/** What is wrong with a pipeline; nothing, when it can run. */
export const pipelineFindings = (pipeline: RuntimePipeline): ReadonlyArray<Finding> => {
  const definition = definitionOf(pipeline)
  return Result.isFailure(definition) ? definition.failure : []
}

/** Can this pipeline run? `pipelineFindings` says why not. */
export const validPipeline = (pipeline: RuntimePipeline): boolean => Result.isSuccess(definitionOf(pipeline))

/**
 * The signature of the definition: equal for pipelines that do the same, on every machine, and equal to
 * that of the same pipeline as a file. `null` for an invalid one.
 */
export const pipelineSignature = (pipeline: RuntimePipeline): string | null => defined(pipeline).signature

/** The event a runtime begins with. Its text is the description itself, so that it can be read back. */
export const defined = (pipeline: RuntimePipeline): EventOf<"Defined"> => {
  const decoded = definitionOf(pipeline)
  const wire = Result.isSuccess(decoded) ? canonical(encodeDefinition(decoded.success)) : null
  return {
    _tag: "Defined",
    id: pipeline.name,
    name: pipeline.name,
    description: "",
    text: canonical(pipeline),
    settings: {},
    definition: wire === null ? null : (JSON.parse(wire) as Schema.Json),
    findings: Result.isFailure(decoded) ? decoded.failure : [],
    signature: Result.isSuccess(decoded) ? signature(decoded.success) : null,
    base: "."
  }
}

/** The pipeline a `Defined` was made from; one without stages, if it was not made by `defined`. */
export const pipelineOf = ({ name, text }: EventOf<"Defined">): RuntimePipeline =>
  Option.getOrElse(readPipeline(text), () => ({ name, stages: [] })) as RuntimePipeline

/** SHA-256 of a text, in hex. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

const readPipeline = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      name: Schema.String,
      stages: Schema.Array(
        Schema.Struct({
          kind: Schema.Literals(runtimeStageKinds),
          name: Schema.String,
          does: Schema.Record(Schema.String, Schema.Json)
        })
      )
    })
  )
)

const wireOf = ({ name, stages }: RuntimePipeline): unknown => {
  let before = stages.filter(({ kind }) => kind === "source").map((stage) => stage.name)
  const wire = stages.map((stage): readonly [string, unknown] => {
    if (stage.kind === "source") return [stage.name, stage.does]
    const from = before.length === 0 ? {} : { from: before.length === 1 ? before[0] : before }
    if (stage.kind === "transform") before = [stage.name]
    return [stage.name, { ...from, ...stage.does }]
  })
  return { name, stages: Object.fromEntries(wire) }
}

const nameFindings = ({ stages }: RuntimePipeline): ReadonlyArray<Finding> =>
  stages.flatMap(({ name }, index) => {
    const at = ["stages", name]
    if (isForbiddenKey(name)) return [finding("forbidden_key", at, `${name} is refused as a name`)]
    return stages.findIndex((other) => other.name === name) < index
      ? [finding("duplicate_name", at, `There are two stages called ${name}`, `${name}_${index}`)]
      : []
  })

const orderFindings = ({ stages }: RuntimePipeline): ReadonlyArray<Finding> =>
  stages.flatMap(({ kind, name }, index) => {
    const before = stages[index - 1]
    return before !== undefined && runtimeStageKinds.indexOf(kind) < runtimeStageKinds.indexOf(before.kind)
      ? [
          finding(
            "stage_order",
            ["stages", name],
            `${name} is a ${kind} and stands behind the ${before.kind} ${before.name}`,
            "Sources first, then transforms, then sinks"
          )
        ]
      : []
  })
