/**
 * What a part of the benchmarks is given, and what it answers.
 *
 * @module
 */

/** The parts, in the order they run; each is `<name>/part.ts` and runs in a process of its own. */
export const partNames = ["file-job", "appends", "fold", "resume", "idle-actors", "workflow"] as const
export type PartName = (typeof partNames)[number]

export interface Part {
  readonly title: string
  readonly run: (given: Given) => Promise<Section>
}

export interface Given {
  /** A smoke check: sizes and rounds that say nothing about speed. */
  readonly quick: boolean
  /** A folder for everything this session makes; parts may find there what an earlier one has prepared. */
  readonly folder: string
  /** The URL of a Postgres server for this session, or why there is none. */
  readonly postgres: { readonly url: string } | { readonly missing: string }
  /** Why the peers could not be installed; `null` when they are. */
  readonly peersMissing: string | null
}

/** A part of the results, as a person reads it. */
export interface Section {
  /** What is measured, and what stands on the other side. */
  readonly text: string
  readonly tables: ReadonlyArray<Table>
  /** What to know before quoting a figure; what could not be measured here. */
  readonly notes: ReadonlyArray<string>
}

export interface Table {
  /** What the figures are, with their unit, and which direction is better. */
  readonly caption: string
  readonly rows: ReadonlyArray<Row>
}

/** A line of a table; every field is text, made by `comparison.ts`. */
export interface Row {
  readonly what: string
  readonly ours: string
  readonly theirs: string
  readonly ratio: string
  /** The ratio of one side with itself: how far the other ratio can be trusted. */
  readonly control: string
  readonly asked: string
}
