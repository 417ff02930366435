/**
 * What a service knows about its pipelines' past and present: what command line, HTTP handlers and programs share.
 *
 * @module
 */
export type { History, PastCheckpoint, PastRun, PastTick } from "../../projections/History.ts"
export { checkpoints, historyMost, pipelineOf, runs, ticks } from "../../projections/History.ts"
export { type LetterQuery, placeOf } from "../../projections/LetterPage.ts"
export type { Difference } from "../../projections/StateDiff.ts"
export type { Chain, Link, Why } from "../../projections/Why.ts"
export { Histories } from "./history/Histories.ts"
export { parseMoment } from "./history/moment.ts"
export { type EventPage, type EventQuery, eventPage, followEvents } from "./history/readEvents.ts"
export { readHistory, readLetters, readWhy } from "./history/readHistory.ts"
export { type ScheduleView, scheduleView } from "./history/scheduleView.ts"
export {
  diffBetween,
  type Moment,
  type PastError,
  type PastState,
  type StateDiff,
  stateAt,
  UnknownVersion
} from "./history/stateAt.ts"
