/**
 * The roster over the log of several pipelines: it must say what each pipeline's own fold says.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { CatalogEvent } from "../../events/CatalogEvent.ts"
import { type PipelineEvent, pipelineStream } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import * as Roster from "../../projections/Roster.ts"
import { Choice, legalHistory } from "../fixtures/drive.ts"
import { definedWrongly, deploymentHistory, reason, running, sealed } from "../fixtures/events.ts"

interface Told {
  readonly stream: string
  readonly event: PipelineEvent | CatalogEvent
}

/** Rows as the log has them, a second apart. */
const logOf = (told: ReadonlyArray<Told>): ReadonlyArray<StoredEvent> => {
  const versions = new Map<string, number>()
  return told.map(({ event, stream }, index) => {
    const version = (versions.get(stream) ?? 0) + 1
    versions.set(stream, version)
    return {
      position: index + 1,
      stream,
      version,
      type: event._tag,
      schemaVersion: 1,
      payload: JSON.stringify(event),
      at: (index + 1) * 1000,
      eventId: `e${index}`,
      causationId: null,
      correlationId: null,
      by: "test",
      epoch: 1,
      hash: ""
    }
  })
}

const inCatalog = (event: CatalogEvent): Told => ({ stream: "catalog", event })
const registered = (id: string, name = id) => inCatalog({ _tag: "PipelineRegistered", id, name })
const of = (id: string, events: ReadonlyArray<PipelineEvent>): ReadonlyArray<Told> =>
  events.map((event) => ({ stream: pipelineStream(id), event }))

const fold = (rows: ReadonlyArray<StoredEvent>, from = Roster.initial) => rows.reduce(Roster.evolve, from)
const listOf = (...told: ReadonlyArray<Told>) => Roster.list(fold(logOf(told)))

/** Two histories as one log, in an order that the choices give. */
const mixed = (choices: ReadonlyArray<number>): ReadonlyArray<Told> => {
  const half = Math.floor(choices.length / 2)
  const waiting = [
    [registered("p1", "orders"), ...of("p1", legalHistory(choices.slice(0, half)))],
    // An imported history comes before its name.
    [
      ...of("p2", [...deploymentHistory.Failed, ...legalHistory(choices.slice(half))]),
      registered("p2", "sales")
    ]
  ]
  const told: Array<Told> = []
  for (let turn = 0; waiting.some((rest) => rest.length > 0); turn++) {
    const next = waiting[(choices[turn % choices.length] ?? turn) % 2] ?? []
    const from = next.length > 0 ? next : waiting.find((rest) => rest.length > 0)
    told.push(...(from?.splice(0, 1) ?? []))
  }
  return told
}

/** The same by the fold of one stream alone, and the times by looking for the last change. */
const expected = (rows: ReadonlyArray<StoredEvent>, id: string) => {
  let state = PipelineState.initial
  const own = rows.filter(({ stream }) => stream === pipelineStream(id))
  const named = JSON.stringify({ _tag: "PipelineRegistered", id }).slice(0, -1)
  const first = rows.find((row) => own.includes(row) || row.payload.startsWith(named))
  const at = first?.at ?? 0
  const since = { definition: at, deployment: at, desired: at, deploymentError: at, lifecycle: at }
  for (const row of own) {
    const next = PipelineState.evolve(state, JSON.parse(row.payload))
    for (const key of Object.keys(since) as Array<keyof typeof since>) {
      if (next[key] !== state[key]) since[key] = row.at
    }
    state = next
  }
  const last = own.at(-1)
  return { state, since, last: { version: last?.version ?? 0, at: last?.at ?? at } }
}

describe("over any legal histories", () => {
  it.prop(
    "it says what each pipeline's own fold says, and since when",
    [Schema.Array(Choice).check(Schema.isMinLength(20))],
    ([choices]) => {
      const rows = logOf(mixed(choices))
      for (const one of Roster.list(fold(rows))) {
        const { last, since, state } = expected(rows, one.id)
        assert.deepStrictEqual(one.version, {
          value: state.definition?.version ?? 0,
          since: since.definition
        })
        assert.deepStrictEqual(one.deployment, { value: state.deployment, since: since.deployment })
        assert.deepStrictEqual(one.desired, { value: state.desired, since: since.desired })
        assert.deepStrictEqual(one.deploymentError, {
          value: state.deploymentError,
          since: since.deploymentError
        })
        assert.deepStrictEqual(one.lifecycle, { value: state.lifecycle, since: since.lifecycle })
        assert.deepStrictEqual(one.program.findings, state.definition?.findings ?? [])
        assert.strictEqual(one.program.version, state.definition?.programVersion ?? 0)
        assert.deepStrictEqual(one.run?.counts, state.run?.counts)
        assert.strictEqual(one.run?.id, state.run?.id)
        assert.deepStrictEqual(one.lastEvent, last)
      }
    },
    { arbitrary: { runs: 150, size: 120 } }
  )

  it.prop(
    "it can stop anywhere, be kept as text, and go on",
    [Schema.Array(Choice).check(Schema.isMinLength(20)), Choice],
    ([choices, n]) => {
      const rows = logOf(mixed(choices))
      const cut = n % (rows.length + 1)
      const kept = Roster.encode(fold(rows.slice(0, cut)))
      assert.isNotNull(kept)
      const resumed = fold(rows.slice(cut), Roster.decode(kept ?? ""))
      assert.strictEqual(Roster.encode(resumed), Roster.encode(fold(rows)))
      assert.deepStrictEqual(Roster.list(resumed), Roster.list(fold(rows)))
    },
    { arbitrary: { runs: 100, size: 80 } }
  )
})

describe("the catalog", () => {
  it("lists in the order of registration, under the name of now", () => {
    const renamed = inCatalog({ _tag: "PipelineRenamed", id: "z", name: "sales" })
    const all = listOf(registered("z", "orders"), registered("a"), ...of("z", running), renamed)
    assert.deepStrictEqual(
      all.map(({ id, name, registeredAt }) => [id, name, registeredAt]),
      [
        ["z", "sales", 1000],
        ["a", "a", 2000]
      ]
    )
  })

  it("a removed pipeline is gone, whatever its stream still says", () => {
    const removed = inCatalog({ _tag: "PipelineRemoved", id: "p1" })
    const roster = fold(logOf([registered("p1"), ...of("p1", running), removed, ...of("p1", [sealed(0)])]))
    assert.deepStrictEqual(Roster.list(roster), [])
    assert.strictEqual(JSON.parse(Roster.encode(roster) ?? "").entries.length, 0)
  })

  it("a history without a name is not listed yet", () => {
    assert.deepStrictEqual(listOf(...of("p1", running)), [])
  })
})

describe("a program", () => {
  it("is missing, valid or invalid", () => {
    const [missing, valid, invalid] = listOf(
      registered("p1"),
      registered("p2"),
      registered("p3"),
      ...of("p2", running),
      ...of("p3", [definedWrongly])
    )
    assert.deepStrictEqual(missing?.program, { value: "Missing", findings: [], version: 0, since: 1000 })
    assert.deepInclude(valid?.program, { value: "Valid", findings: [], version: 1 })
    assert.deepInclude(invalid?.program, { value: "Invalid", findings: definedWrongly.findings, version: 1 })
  })

  it("leaves its text and all it compiled to in the log", () => {
    const text = "x".repeat(10_000)
    const settings = { text }
    const definition = { stages: text }
    const [defined] = running
    const roster = fold(
      logOf([
        registered("p1"),
        ...of("p1", [{ ...defined, text, settings, definition } as PipelineEvent, ...running.slice(1)])
      ])
    )
    assert.isBelow(Roster.encode(roster)?.length ?? Number.NaN, 2000)
  })
})

it("what cannot be read stops its pipeline and no other, and is not kept", () => {
  const rows = logOf([registered("p1"), registered("p2"), ...of("p1", running), ...of("p2", running)])
  const bad = { ...rows[3]!, schemaVersion: 99 }
  const roster = fold(rows.map((row) => (row.position === bad.position ? bad : row)))
  const [first, second] = Roster.list(roster)
  assert.match(first?.unreadable ?? "", /event 2 .* newer release/)
  assert.deepInclude(first?.lastEvent, { version: 1 })
  assert.isNull(second?.unreadable)
  assert.deepInclude(second?.lifecycle, { value: "Running" })
  assert.isNull(Roster.encode(roster))
})

it("an error of the deployment comes with its time, and goes with it", () => {
  const failed = deploymentHistory.Failed
  const down: ReadonlyArray<PipelineEvent> = [{ _tag: "ShutdownStarted" }, { _tag: "ShutDown" }]
  const [before] = listOf(registered("p1"), ...of("p1", failed))
  assert.deepStrictEqual(before?.deploymentError, { value: reason, since: 4000 })
  const [after] = listOf(registered("p1"), ...of("p1", [...failed, ...down]))
  assert.deepStrictEqual(after?.deploymentError, { value: null, since: 6000 })
})
