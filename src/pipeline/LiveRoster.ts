/**
 * The roster of the log this process works on, kept current while it lives.
 *
 * @module
 */
import { Context, Effect, Layer } from "effect"
import * as Roster from "../../projections/Roster.ts"
import type { EventLog } from "../log/EventLog.ts"
import { type Followed, follow, type ReadModel } from "../log/ReadModel.ts"
import { rosterGauges } from "./rosterGauges.ts"

/** The roster as a read model; `read` it where nothing is followed. */
export const rosterModel: ReadModel<Roster.Roster> = { name: "roster", ...Roster }

export class LiveRoster extends Context.Service<LiveRoster, Followed<Roster.Roster>>()(
  "millrace/pipeline/LiveRoster"
) {
  /** Reads in the background, shows how many pipelines are how, and leaves a snapshot behind so that the next start and `list` need not. */
  static readonly layer: Layer.Layer<LiveRoster, never, EventLog> = Layer.effect(
    LiveRoster,
    Effect.tap(follow(rosterModel), ({ latestUnsafe }) => rosterGauges(() => latestUnsafe().state))
  )
}
