/**
 * What can be done about dead letters: try them again, see what came of it, take that back, let them go.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiSchema } from "effect/http-api"
import { redrivesMost } from "../../events/Redrive.ts"
import { BranchFate, RedriveOutcomeName } from "./DeadLetterJson.ts"
import { documented } from "./documented.ts"
import { Failure400, Failure404, Failure409, Failure422, Failure503 } from "./failures.ts"
import {
  Count,
  DryRun,
  FreeRecord,
  idempotencyKey,
  nameInPath,
  OptionalText,
  pageMost,
  pageQuery,
  Reason
} from "./values.ts"

const pathOf = <const What extends string>(what: What) => `/v0/pipelines/:name/dead_letters/${what}` as const

const Text = Schema.String
const text = Schema.optionalKey(Text)
const Id = Text.check(Schema.isBetweenLength(1, 200))
const Ids = Schema.Array(Id).check(Schema.isBetweenLength(1, redrivesMost))

const LetterFilter = Schema.Struct({ stage: text, code: text, source: text, run: text }).check(
  Schema.makeFilter(
    (filter) => Object.keys(filter).length > 0 || 'name a stage, code, source or run, or send "all"'
  )
)

/** All that stand, those with these ids, or those that are all of what is named. */
export const LetterChoice = Schema.Union([Schema.Literal("all"), Ids, LetterFilter])
export type LetterChoice = typeof LetterChoice.Type

/** What became of a redrive of one letter, or is to be. */
const LetterOutcome = Schema.Struct({
  letter: Text,
  redrive: Count,
  outcome: RedriveOutcomeName,
  branches: Schema.Record(Text, BranchFate),
  reason: Schema.NullOr(Reason)
})
export type LetterOutcome = typeof LetterOutcome.Type

/** `redrive` names what was asked for; `null` where there was nothing to ask for. */
export const RequestedRedrive = Schema.Struct({
  redrive: Schema.NullOr(Text),
  requested: Count,
  letters: Schema.Array(Schema.Struct({ letter: Text, redrive: Count })),
  /** The log stood there: what it says later is about this attempt. */
  version: Count,
  /** Where there was no room for all: ask again with this as `after`, when these are settled. */
  next: Schema.NullOr(Text)
}).annotate({ identifier: "RequestedRedrive" })
export type RequestedRedrive = typeof RequestedRedrive.Type

/** What would become of letters. `records` are as the sinks would write them. */
export const RedriveDryRun = Schema.Struct({
  dry_run: Schema.Literal(true),
  /** Letters that are chosen, of which `tried` are told about. */
  total: Count,
  tried: Count,
  dead_letters: Schema.Array(
    Schema.Struct({
      letter: Text,
      outcome: Schema.Literals(["delivered", "filtered", "unrouted", "lettered", "partly"]),
      branches: Schema.Record(
        Text,
        Schema.Struct({
          outcome: Schema.Literals(["applied", "filtered", "unrouted", "lettered"]),
          count: Count,
          /** The first ones, as far as the answer has room. */
          records: Schema.Array(Schema.Json)
        })
      ),
      stage: Schema.NullOr(Text),
      reason: Schema.NullOr(Reason),
      /** What an edit changes of what was read. */
      changes: Schema.Array(
        Schema.Struct({
          path: Text,
          before: Schema.optionalKey(Schema.Json),
          after: Schema.optionalKey(Schema.Json)
        })
      )
    })
  )
}).annotate({ identifier: "RedriveDryRun" })
export type RedriveDryRun = typeof RedriveDryRun.Type

export const RedrivePayload = Schema.Struct({
  letters: LetterChoice,
  /** Only letters behind this one. */
  after: text,
  /** By letter id the payload that enters in place of what was read. */
  edits: Schema.optionalKey(FreeRecord),
  /** By name of a field, or JSON pointer, the value that every chosen letter is given. */
  set: Schema.optionalKey(FreeRecord),
  /** Letters a second. */
  rate: Schema.optionalKey(
    Schema.NullOr(Schema.Number.check(Schema.isBetween({ minimum: 0.001, maximum: 1_000_000 })))
  ),
  reason: OptionalText,
  dry_run: DryRun,
  /** Letters that a dry run tries; 100 when absent. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: pageMost })))
})
export type RedrivePayload = typeof RedrivePayload.Type

export const redrive = HttpApiEndpoint.post("redriveDeadLetters", pathOf("redrive"), {
  params: nameInPath,
  headers: idempotencyKey,
  payload: RedrivePayload,
  success: [RedriveDryRun, RequestedRedrive.pipe(HttpApiSchema.status(202))],
  error: [Failure400, Failure404, Failure409, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Try dead letters again",
    description:
      "Through the definition in force, for the sinks that are owed them, whether or not a run is at work: 202 once it " +
      "is in the log, from where it goes on after any crash. `letters` is `all`, a list of ids (one that does not stand " +
      "is refused, and nothing is asked for) or a filter; letters that are being redriven already are passed over " +
      "unless they were named. `edits` and `set` change what enters; what was read stays. At most " +
      `${redrivesMost} redrives are open at once: \`next\` says where to go on. \`GET …/redrives/{redrive}\` tells what ` +
      "came of it. With `dry_run` nothing is written anywhere, and the answer, 200, says what would become of each letter.",
    example: {
      request: {
        letters: { code: "expression_failed" },
        set: { delay: 0 },
        rate: 100,
        reason: "no delay known"
      },
      response: {
        redrive: "40-41",
        requested: 1,
        letters: [{ letter: "0.3.3017", redrive: 1 }],
        version: 41,
        next: null
      }
    }
  })
)

/** How far a redrive is. A letter that was applied to some sinks and filtered for others counts as applied. */
export const RedriveProgress = Schema.Struct({
  redrive: Text,
  requested: Count,
  /** Nothing of it is open, and what was added to outputs can be read there. */
  settled: Schema.Boolean,
  open: Count,
  applied: Count,
  filtered: Count,
  /** On at least one branch; these are owed still. */
  nacked: Count,
  withdrawn: Count,
  discarded: Count,
  /** Why it does not go on, and the version of the log that says so; `null` as it should be. */
  stalled: Schema.NullOr(Schema.Struct({ ...Reason.fields, version: Count })),
  outcomes: Schema.Array(LetterOutcome),
  next: Schema.NullOr(Text)
}).annotate({ identifier: "RedriveProgress" })
export type RedriveProgress = typeof RedriveProgress.Type

export const getRedrive = HttpApiEndpoint.get("getRedrive", pathOf("redrives/:redrive"), {
  params: { ...nameInPath, redrive: Text },
  query: { ...pageQuery, after: text, outcome: Schema.optionalKey(RedriveOutcomeName) },
  success: RedriveProgress,
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "What came of a redrive",
    description:
      "How many of its letters were applied, filtered, not handled once more, or are still open, and each of them with " +
      "the reason, a page at a time (`after` is a letter's id), of one `outcome` if that is named. Poll it until " +
      "`settled`, or until `stalled` says what is in the way. `stalled` goes away by itself where the reason does.",
    example: {
      response: {
        redrive: "40-41",
        requested: 1,
        settled: true,
        open: 0,
        applied: 0,
        filtered: 1,
        nacked: 0,
        withdrawn: 0,
        discarded: 0,
        stalled: null,
        outcomes: [
          { letter: "0.3.3017", redrive: 1, outcome: "left", branches: { store: "filtered" }, reason: null }
        ],
        next: null
      }
    }
  })
)

export const discard = HttpApiEndpoint.post("discardDeadLetters", pathOf("discard"), {
  params: nameInPath,
  headers: idempotencyKey,
  payload: Schema.Struct({
    letters: LetterChoice,
    reason: Text.check(Schema.isBetweenLength(1, 2000), Schema.isPattern(/\S/)),
    /** Also letters that are just being tried again. */
    force: Schema.optionalKey(Schema.Boolean)
  }),
  success: Schema.Struct({ discarded: Count, letters: Schema.Array(Text) }),
  error: [Failure400, Failure404, Failure409, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Let dead letters go",
    description:
      "They are owed to nobody any more; the log keeps them, and the reason, which must be given. A letter that is just " +
      "being tried again is refused unless `force` is set: it is then not tried again, whatever its sink has got by now. " +
      `\`letters\` names the first ${pageMost} of them.`,
    example: {
      request: { letters: ["0.3.3017"], reason: "a test record" },
      response: { discarded: 1, letters: ["0.3.3017"] }
    }
  })
)

export const withdraw = HttpApiEndpoint.post("withdrawRedrives", pathOf("withdraw"), {
  params: nameInPath,
  headers: idempotencyKey,
  payload: Schema.Struct({ letters: Schema.Union([Schema.Literal("all"), Ids]), reason: OptionalText }),
  success: Schema.Struct({ withdrawn: Count, letters: Schema.Array(Text) }),
  error: [Failure400, Failure404, Failure409, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Take redrives back",
    description:
      "Those that were requested and have not begun; their letters stand as before. With `all`, none that waits is no " +
      "error; one that is named and has begun is refused, because only its sink knows what it has got.",
    example: {
      request: { letters: "all", reason: "not yet" },
      response: { withdrawn: 1, letters: ["0.3.3017"] }
    }
  })
)
