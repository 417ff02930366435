/**
 * Every pipeline there is, and how it is: what a list shows, kept current by one cheap step an event.
 *
 * What a pipeline's own events mean is asked of the one fold that knows; here stands only what that fold
 * has no need of: when something became what it is. Texts that no list shows are left out of it.
 *
 * @module
 */
import { HashMap, Option, Result } from "effect"
import { type CatalogEvent, catalogStream } from "../events/CatalogEvent.ts"
import type { Checkpoint } from "../events/Checkpoint.ts"
import type { Finding } from "../events/Finding.ts"
import { type PipelineEvent, pipelineStream, type Reason } from "../events/PipelineEvent.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import { decodeCatalogEvent, decodePipelineEvent } from "../events/upcast.ts"
import * as LatestRun from "./LatestRun.ts"
import { own } from "./own.ts"
import * as PipelineState from "./PipelineState.ts"
import type { RunCounts } from "./RunState.ts"
import { textMark } from "./textMark.ts"

/** Grows with the fold below and with the one it stands on. */
export const foldVersion = PipelineState.foldVersion * 1000 + 2

/** A value and when it became that, in milliseconds since 1970. */
export interface Since<A> {
  readonly value: A
  readonly since: number
}

/** One pipeline as a list shows it. Times are milliseconds since 1970. */
export interface Listed {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly registeredAt: number
  /** How many definitions it has had. */
  readonly version: Since<number>
  /** `Missing` before the first definition; findings are those of the last one. */
  readonly program: Since<"Missing" | "Valid" | "Invalid"> & {
    readonly findings: ReadonlyArray<Finding>
    /** How many programs it has had: definitions whose text was another one than before. */
    readonly version: number
  }
  readonly deployment: Since<PipelineState.PipelineState["deployment"]>
  readonly desired: Since<PipelineState.PipelineState["desired"]>
  readonly deploymentError: Since<Reason | null>
  readonly lifecycle: Since<PipelineState.PipelineState["lifecycle"]>
  readonly run: ListedRun | null
  /** Of the latest run, one for each source that has one. */
  readonly checkpoints: ReadonlyArray<Checkpoint>
  /** Redrives of its dead letters that are not settled, and outputs that are to be made visible with them. */
  readonly redriving: number
  /** Its last event; 0 when it has none yet. */
  readonly lastEvent: { readonly version: number; readonly at: number }
  /** Why its events are not read any further; `null` as it should be. */
  readonly unreadable: string | null
}

/** The latest run. */
export interface ListedRun extends LatestRun.LatestRun {
  readonly id: string
  readonly counts: RunCounts
  /** How many times it went on after it had been cut off. */
  readonly resumes: number
  readonly failure: Reason | null
  /** Batches that are sealed and not settled. */
  readonly open: number
}

interface Entry {
  readonly id: string
  /** `null` until the catalog names it: an imported history comes before its name. */
  readonly registered: { readonly name: string; readonly ordinal: number; readonly at: number } | null
  readonly pipeline: PipelineState.PipelineState
  readonly findings: ReadonlyArray<Finding>
  readonly program: { readonly mark: string; readonly version: number }
  readonly latest: LatestRun.LatestRunState
  readonly since: Times
  readonly version: number
  readonly at: number
}

type Times = Readonly<
  Record<"definition" | "deployment" | "desired" | "deploymentError" | "lifecycle", number>
>

export interface Roster {
  /** By id; persistent, because one event must not cost a copy of ten thousand entries. */
  readonly entries: HashMap.HashMap<string, Entry>
  /** How many pipelines have ever been registered. */
  readonly registrations: number
  /** By stream: the first event that cannot be read stops its stream, and only that. */
  readonly unreadable: Readonly<Record<string, string>>
}

export const initial: Roster = { entries: HashMap.empty(), registrations: 0, unreadable: {} }

/** Takes the events of all streams, in global order. */
export const evolve = (roster: Roster, row: StoredEvent): Roster => {
  if (own(roster.unreadable, row.stream) !== undefined) return roster
  if (row.stream === catalogStream) {
    const event = decodeCatalogEvent(row)
    return Result.isSuccess(event)
      ? fromCatalog(roster, event.success, row.at)
      : stopped(roster, row, event.failure.message)
  }
  return row.stream.startsWith(pipelines) ? fromPipeline(roster, row) : roster
}

/** All there are, in the order of registration. */
export const list = (roster: Roster): ReadonlyArray<Listed> =>
  HashMap.toValues(roster.entries)
    .filter((entry): entry is Known => entry.registered !== null)
    .sort((a, b) => a.registered.ordinal - b.registered.ordinal)
    .map((entry) => listed(entry, own(roster.unreadable, pipelineStream(entry.id)) ?? null))

/** The one with this id, `undefined` when there is none. */
export const find = (roster: Roster, id: string): Listed | undefined => {
  const entry = Option.getOrUndefined(HashMap.get(roster.entries, id))
  return entry === undefined || entry.registered === null
    ? undefined
    : listed(entry as Known, own(roster.unreadable, pipelineStream(id)) ?? null)
}

/**
 * As JSON, the same text for the same log. Nothing while a stream cannot be read: a release that can
 * read it is to read it from the start.
 */
export const encode = ({ entries, registrations, unreadable }: Roster): string | null =>
  Object.keys(unreadable).length > 0
    ? null
    : JSON.stringify({
        registrations,
        entries: HashMap.toValues(entries).sort((a, b) => (a.id < b.id ? -1 : 1))
      })

export const decode = (text: string): Roster => {
  const { entries, registrations } = JSON.parse(text) as {
    readonly entries: ReadonlyArray<Entry>
    readonly registrations: number
  }
  return {
    entries: HashMap.fromIterable(entries.map((entry) => [entry.id, entry] as const)),
    registrations,
    unreadable: {}
  }
}

type Known = Entry & { readonly registered: NonNullable<Entry["registered"]> }

const pipelines = pipelineStream("")

const stopped = (roster: Roster, { stream }: StoredEvent, why: string): Roster => ({
  ...roster,
  unreadable: { ...roster.unreadable, [stream]: why }
})

const fromCatalog = (roster: Roster, event: CatalogEvent, at: number): Roster => {
  switch (event._tag) {
    case "PipelineRegistered":
    case "PipelineRenamed":
      return named(roster, event, at)
    case "PipelineRemoved":
      return { ...roster, entries: HashMap.remove(roster.entries, event.id) }
  }
}

const named = (roster: Roster, { id, name }: { readonly id: string; readonly name: string }, at: number) => {
  const entry = Option.getOrElse(HashMap.get(roster.entries, id), () => unheardOf(id, at))
  const registered =
    entry.registered === null ? { name, ordinal: roster.registrations, at } : { ...entry.registered, name }
  return {
    ...roster,
    entries: HashMap.set(roster.entries, id, { ...entry, registered }),
    registrations: roster.registrations + (entry.registered === null ? 1 : 0)
  }
}

const fromPipeline = (roster: Roster, row: StoredEvent): Roster => {
  const id = row.stream.slice(pipelines.length)
  const known = Option.getOrUndefined(HashMap.get(roster.entries, id))
  // A stream is met at its first event: what a removed pipeline still says does not bring it back.
  if (known === undefined && row.version > 1) return roster
  const event = decodePipelineEvent(row)
  if (Result.isFailure(event)) return stopped(roster, row, event.failure.message)
  const entry = told(known ?? unheardOf(id, row.at), event.success, row)
  return { ...roster, entries: HashMap.set(roster.entries, id, entry) }
}

const unheardOf = (id: string, at: number): Entry => ({
  id,
  registered: null,
  pipeline: PipelineState.initial,
  findings: [],
  program: { mark: "", version: 0 },
  latest: LatestRun.initial,
  since: { definition: at, deployment: at, desired: at, deploymentError: at, lifecycle: at },
  version: 0,
  at
})

const told = (entry: Entry, event: PipelineEvent, { at, version }: StoredEvent): Entry => {
  const before = entry.pipeline
  const after = PipelineState.evolve(before, event)
  const isDefined = after.definition !== before.definition
  return {
    ...entry,
    pipeline: isDefined ? withoutTexts(after) : after,
    findings: isDefined ? (after.definition?.findings ?? []) : entry.findings,
    program: isDefined ? programAfter(entry.program, after.definition?.text ?? "") : entry.program,
    latest: LatestRun.evolve(entry.latest, event, at),
    since: changes(entry.since, before, after, at),
    version,
    at
  }
}

/** The text is not kept, so the fold of the state cannot tell here whether it is another one. */
const programAfter = (before: Entry["program"], text: string): Entry["program"] => {
  const mark = textMark(text)
  return mark === before.mark ? before : { mark, version: before.version + 1 }
}

/** Most events change none of it. */
const changes = (
  since: Times,
  before: PipelineState.PipelineState,
  after: PipelineState.PipelineState,
  at: number
): Times => {
  let next = since
  for (const key of timed) if (before[key] !== after[key]) next = { ...next, [key]: at }
  return next
}

const timed = ["definition", "deployment", "desired", "deploymentError", "lifecycle"] as const

/** The program and what it compiled to are most of a state, and stand in the log. */
const withoutTexts = (state: PipelineState.PipelineState): PipelineState.PipelineState =>
  state.definition === null
    ? state
    : {
        ...state,
        definition: { ...state.definition, text: "", settings: null, definition: null, findings: [] }
      }

const listed = (
  { at, findings, id, latest, pipeline, program, registered, since, version }: Known,
  unreadable: string | null
): Listed => {
  const { definition, run } = pipeline
  return {
    id,
    name: registered.name,
    description: definition?.description ?? "",
    registeredAt: registered.at,
    version: { value: definition?.version ?? 0, since: since.definition },
    program: {
      value: definition === null ? "Missing" : definition.signature === null ? "Invalid" : "Valid",
      findings,
      version: program.version,
      since: since.definition
    },
    deployment: { value: pipeline.deployment, since: since.deployment },
    desired: { value: pipeline.desired, since: since.desired },
    deploymentError: { value: pipeline.deploymentError, since: since.deploymentError },
    lifecycle: { value: pipeline.lifecycle, since: since.lifecycle },
    run: run === null || latest.run === null ? null : runOf(pipeline, run, latest.run),
    checkpoints: PipelineState.checkpoints(pipeline),
    redriving: (pipeline.bench?.open.length ?? 0) + (pipeline.bench?.unpublished.length ?? 0),
    lastEvent: { version, at },
    unreadable
  }
}

const runOf = (
  { open }: PipelineState.PipelineState,
  { counts, failure, id, lives }: NonNullable<PipelineState.PipelineState["run"]>,
  latest: LatestRun.LatestRun
): ListedRun => ({ ...latest, id, counts, failure, resumes: lives - 1, open: open.length })
