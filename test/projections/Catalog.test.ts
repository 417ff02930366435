/**
 * Which pipelines exist, by name and by id.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import type { CatalogEvent } from "../../events/CatalogEvent.ts"
import { type Catalog, evolve, idOf, initial, list } from "../../projections/Catalog.ts"

const catalog = (...events: ReadonlyArray<CatalogEvent>): Catalog => events.reduce(evolve, initial)
const registered = (id: string, name: string): CatalogEvent => ({ _tag: "PipelineRegistered", id, name })
const renamed = (id: string, name: string): CatalogEvent => ({ _tag: "PipelineRenamed", id, name })
const removed = (id: string): CatalogEvent => ({ _tag: "PipelineRemoved", id })

it("a pipeline is found by its name", () => {
  const two = catalog(registered("p1", "orders"), registered("p2", "payments"))
  assert.strictEqual(idOf(two, "payments"), "p2")
  assert.isUndefined(idOf(two, "p2"))
})

it("the id stays, the name may change", () => {
  const after = catalog(registered("p1", "orders"), renamed("p1", "sales"))
  assert.strictEqual(idOf(after, "sales"), "p1")
  assert.isUndefined(idOf(after, "orders"))
})

it("a removed pipeline leaves its name to others", () => {
  const after = catalog(registered("p1", "orders"), removed("p1"), registered("p2", "orders"))
  assert.strictEqual(idOf(after, "orders"), "p2")
})

it("pipelines are listed in the order of their registration", () => {
  const after = catalog(registered("z", "a"), registered("y", "b"), renamed("z", "c"))
  assert.deepStrictEqual(
    list(after).map(({ name }) => name),
    ["c", "b"]
  )
})

it("removing what is not there changes nothing", () =>
  assert.deepStrictEqual(
    list(catalog(registered("p1", "orders"), removed("p2"))),
    list(catalog(registered("p1", "orders")))
  ))

it("a name somebody else has taken stays theirs", () => {
  const after = catalog(registered("p1", "orders"), registered("p2", "orders"), renamed("p1", "sales"))
  assert.strictEqual(idOf(after, "orders"), "p2")
  assert.strictEqual(idOf(catalog(registered("p1", "a"), registered("p2", "a"), removed("p1")), "a"), "p2")
})

const Names = Schema.Literals(["a", "b", "c"])
const Few = Schema.Union([
  Schema.Struct({ _tag: Schema.Literals(["PipelineRegistered", "PipelineRenamed"]), id: Names, name: Names }),
  Schema.Struct({ _tag: Schema.Literal("PipelineRemoved"), id: Names })
])

it.prop("whatever happens, a name leads to a pipeline that has it", [Schema.Array(Few)], ([events]) => {
  const after = catalog(...events)
  for (const name of ["a", "b", "c"]) {
    const id = idOf(after, name)
    const having = list(after).filter((one) => one.name === name)
    if (id !== undefined)
      assert.include(
        having.map((one) => one.id),
        id
      )
    if (having.length === 0) assert.isUndefined(id)
  }
})
