/**
 * What would become of letters: no event is written, and no sink is opened.
 *
 * @module
 */
import { Effect } from "effect"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import type { RedriveDryRun, RedrivePayload } from "../api/redrives.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { EventLog } from "../log/EventLog.ts"
import { dryRun } from "../pipeline/letters/dryRun.ts"
import { readLetters } from "../pipeline/letters/fetchLetter.ts"
import { editOf } from "../pipeline/letters/LetterEdit.ts"
import { readStanding } from "../pipeline/letters/readStanding.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { chooseLetters, refuseStray } from "./chooseLetters.ts"
import { dryRunJson } from "./deadLetterJson.ts"
import { editsOf } from "./editsOf.ts"
import { refusing } from "./refusalOf.ts"
import { refusingRedrive } from "./refusingRedrive.ts"

/** Letters that are tried when no number was asked for. */
const triedMost = 100

export const dryRunRedrive = Effect.fnUntraced(
  function* (id: string, name: string, payload: RedrivePayload) {
    const log = yield* EventLog
    const drivers = yield* Drivers
    const standing = yield* readStanding(log, id)
    const chosen = yield* chooseLetters(standing, payload)
    yield* refuseStray(payload.edits ?? {}, chosen)
    const letters = chosen.slice(0, payload.limit ?? triedMost)
    const edits = yield* editsOf(id, name, standing, letters, payload)
    const ids = letters.map((letter) => letter.id)
    const functions = (yield* Pipelines).functionsOf(name)
    const tried =
      ids.length === 0
        ? []
        : yield* dryRun(log, id, functions, { letters: ids, edits, limit: ids.length }).pipe(
            Effect.provideService(Drivers, drivers)
          )
    const changes = new Map<string, ReturnType<typeof editOf>["changes"]>()
    const edited = letters.filter((letter) => Object.hasOwn(edits, letter.id))
    yield* readLetters(log, pipelineStream(id), standing, edited, ({ letter }) =>
      Effect.sync(() => void changes.set(letter.id, editOf(letter, edits[letter.id]).changes))
    )
    return {
      dry_run: true,
      total: chosen.length,
      tried: tried.length,
      dead_letters: dryRunJson(tried, (letter) => changes.get(letter) ?? [])
    } satisfies RedriveDryRun as RedriveDryRun
  },
  refusingRedrive,
  refusing
)
