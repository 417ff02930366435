/**
 * A pipeline being written, and how it grows by a stage.
 *
 * @module
 */
import { Pipeable, type Schema } from "effect"
import type { Condition, Definition, Edge, ScheduleDefinition, Stage } from "../../../events/Definition.ts"
import type { ProgramFunction } from "../programFunction.ts"

/**
 * A pipeline being written. `Stages` are the record types by stage name, `Current` is what the next stage
 * takes, `R` what its effectful stages need from the program's environment.
 */
export interface Pipeline<out Stages, out Current, out R = never> extends Pipeable.Pipeable {
  readonly name: string
  readonly options: PipelineOptions
  readonly stages: Readonly<Record<string, Stage>>
  readonly functions: ReadonlyMap<string, ProgramFunction<R>>
  /** The stages the next one takes its records from. */
  readonly current: ReadonlyArray<string>
  /** Which of their records the next one takes; all, when undefined. */
  readonly condition: Condition | undefined
  readonly "~types": { readonly stages: () => Stages; readonly current: () => Current }
}

// biome-ignore lint/suspicious/noExplicitAny: any pipeline, whatever its stages carry
export type Any<R = any> = Pipeline<any, any, R>

/** Everything a pipeline file says outside its stages; left out, the file's defaults hold. */
export interface PipelineOptions {
  readonly description?: string
  /** `manual` when left out; else `continuous`, or what `Pipeline.cron` and `Pipeline.every` make. */
  readonly schedule?: ScheduleDefinition
  /** How the records of several sources meet; as they come, when left out. */
  readonly merge?: Definition["merge"]
  readonly onUnrouted?: Definition["onUnrouted"]
  readonly deadLetters?: Partial<Definition["deadLetters"]>
  readonly runtime?: Partial<Definition["runtime"]>
  /** The folder relative paths resolve against; the working directory when left out. */
  readonly base?: string
}

/** The pipeline with one more stage, which the next one takes its records from. */
export const add = <Stages, R, const Name extends string, Current>(
  self: Any<R>,
  name: Name,
  stage: Stage,
  of?: ProgramFunction<R>
): Pipeline<Stages & { readonly [K in Name]: Current }, Current, R> => {
  if (Object.hasOwn(self.stages, name)) throw new DuplicateStage(self.name, name)
  return build({
    ...self,
    stages: { ...self.stages, [name]: stage },
    functions: of === undefined ? self.functions : new Map([...self.functions, [name, of]]),
    current: [name],
    condition: undefined
  })
}

/** Two stages of one name: a slip of the program's author, reported where it is made. */
export class DuplicateStage extends Error {
  constructor(pipeline: string, stage: string) {
    super(`pipeline ${pipeline} has two stages called ${stage}`)
    this.name = "DuplicateStage"
  }
}

/** A pipeline of its parts. */
export const build = <Stages, Current, R>(
  of: Pick<Any<R>, "name" | "options" | "stages" | "functions" | "current" | "condition">
): Pipeline<Stages, Current, R> => ({
  ...Pipeable.Prototype,
  name: of.name,
  options: of.options,
  stages: of.stages,
  functions: of.functions,
  current: of.current,
  condition: of.condition,
  "~types": types as Pipeline<Stages, Current, R>["~types"]
})

/** Whether a value is a pipeline, as `make` and the stages build it. */
export const isPipeline = (value: unknown): value is Any<never> =>
  typeof value === "object" && value !== null && "~types" in value && value["~types"] === types

/** What a stage reads: the current stages, each by an edge that lets through what the conditions hold for. */
export const edges = (self: Any, own?: Condition): { readonly from: ReadonlyArray<Edge> } => {
  const when = both(self.condition, own)
  return { from: self.current.map((stage) => (when === undefined ? { stage } : { stage, when })) }
}

/** The condition that holds where both do; `undefined` always does. */
export const both = (first: Condition | undefined, second: Condition | undefined): Condition | undefined =>
  first === undefined || second === undefined ? (first ?? second) : { all: [first, second] }

/** The program checks what comes out of the stage by its own schema. */
export const checking = <A>(schema: Schema.Codec<A, A>): ProgramFunction<never> => ({
  _tag: "Check",
  schema: schema as unknown as Schema.Codec<unknown>
})

const absent = (): never => {
  throw new Error("a type is not a value")
}
const types = { stages: absent, current: absent }
