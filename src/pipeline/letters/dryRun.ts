/**
 * What would become of letters, if they were redriven now: through every stage and into no sink.
 *
 * Lookups are opened, to be read, and so is a source whose records cannot be told from the letters alone. No event
 * is written; sinks are made and never opened.
 *
 * @module
 */
import { Effect } from "effect"
import { type Definition, decodeDefinition } from "../../../events/Definition.ts"
import { finding } from "../../../events/Finding.ts"
import { pipelineStream } from "../../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import type { DeadLetter } from "../../../projections/DeadLetters.ts"
import { own } from "../../../projections/own.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { Drivers } from "../../drivers/Drivers.ts"
import type { Functions } from "../../flow/Functions.ts"
import type { Outcome } from "../../flow/Outcome.ts"
import * as Plan from "../../flow/Plan.ts"
import { outcomeOf } from "../../flow/redrive/feedRedrives.ts"
import type { StageError } from "../../flow/StageError.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import type { Rejection } from "../Command.ts"
import { readLetter } from "./fetchLetter.ts"
import type { DryRun, DryRunBranch, DryRunRequest } from "./LetterRequest.ts"
import { lastEdits } from "./lastEdits.ts"
import { chosen, readStanding, type Standing } from "./readStanding.ts"

export type DryRunError = Rejection | Plan.PlanError | StageError | LogError | UndecodableEvent

/** Letters that are tried when no number was asked for. */
const triedMost = 1000

export const dryRun = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  id: string,
  functions: Functions,
  { definition: given, edits: asked = {}, letters, limit = triedMost }: DryRunRequest
): Effect.fn.Return<ReadonlyArray<DryRun>, DryRunError, Drivers> {
  const standing = yield* readStanding(log, id)
  const tried = (yield* chosen(standing, letters)).slice(0, limit)
  const edits = { ...(yield* lastEdits(log, id, standing, tried)), ...asked }
  const definition = given ?? (yield* inForce(standing.state))
  return yield* Effect.gen(function* () {
    const plan = yield* compiled(standing.state, id, functions, definition, tried)
    return yield* Effect.forEach(tried, (letter) =>
      Effect.gen(function* () {
        const of = {
          letter: letter.id,
          n: 0,
          sealed: standing.sealedAt.get(letter.id)!,
          seen: 0,
          edited: false
        }
        const kept = yield* readLetter(log, pipelineStream(id), of)
        const edited = Object.hasOwn(edits, letter.id) ? { payload: edits[letter.id] } : undefined
        const outcome = yield* Effect.scoped(outcomeOf(plan, { ...kept, edited }, letter.branches))
        return told(letter, outcome)
      })
    )
  }).pipe(Effect.scoped)
})

/** What letters would go through by the definition in force. */
export const planFor = Effect.fnUntraced(function* (
  state: PipelineState,
  id: string,
  functions: Functions,
  letters: Standing["letters"]
) {
  return yield* compiled(state, id, functions, yield* inForce(state), letters)
})

const inForce = (state: PipelineState): Effect.Effect<Definition, Plan.PlanError> => {
  const decoded = decodeDefinition(state.definition?.definition)
  return decoded._tag === "Success"
    ? Effect.succeed(decoded.success)
    : Effect.fail(new Plan.PlanError({ findings: [finding("bad_definition", [], decoded.failure.message)] }))
}

/** For the sinks that are owed something, each told what its output was settled as. */
const compiled = Effect.fnUntraced(function* (
  state: PipelineState,
  id: string,
  functions: Functions,
  definition: Definition,
  letters: Standing["letters"]
) {
  const { base = "", name = "" } = state.definition ?? {}
  const owed = [...new Set(letters.flatMap(({ branches }) => branches))]
  const plan = yield* Plan.compile(definition, { pipeline: { id, name }, base }, functions, owed)
  for (const { sink, stage } of plan.sinks) {
    const receipt = own(state.run?.outputs, stage)?.receipt ?? null
    if (receipt !== null) sink.recall?.(receipt)
  }
  return plan
})

const told = ({ branches: owed, id }: DeadLetter, outcome: Outcome): DryRun => {
  const branches = Object.fromEntries(owed.map((stage) => [stage, branchOf(outcome, stage)]))
  const fates = new Set(Object.values(branches).map(({ outcome: fate }) => fate))
  const [only] = fates
  const failure = outcome.failures.find((each) => each.branches.some((branch) => owed.includes(branch)))
  return {
    letter: id,
    outcome:
      fates.size === 1 && only !== undefined ? (only === "applied" ? "delivered" : only) : mixed(fates),
    branches,
    stage: failure?.stage ?? null,
    reason: failure?.reason ?? null
  }
}

/** Some branches would leave, others stay; where none stays, the record gets through somewhere. */
const mixed = (fates: ReadonlySet<string>): DryRun["outcome"] =>
  fates.has("lettered") ? "partly" : fates.has("applied") ? "delivered" : "unrouted"

const branchOf = (outcome: Outcome, stage: string): DryRunBranch => {
  const branch = outcome.branches[stage]
  const records = branch?.records ?? []
  if (branch === undefined || branch.lettered > 0) return { outcome: "lettered", records: [] }
  if (branch.delivered > 0) return { outcome: "applied", records }
  return { outcome: branch.unrouted > 0 ? "unrouted" : "filtered", records }
}
