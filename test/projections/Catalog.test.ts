/**
 * Which pipelines exist, by name and by id.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import { CatalogEvent } from "../../events/CatalogEvent.ts"
import { type Catalog, evolve, idOf, initial } from "../../projections/Catalog.ts"

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
  assert.deepStrictEqual(Object.values(after.names), ["c", "b"])
})

it("removing what is not there changes nothing", () =>
  assert.deepStrictEqual(
    catalog(registered("p1", "orders"), removed("p2")),
    catalog(registered("p1", "orders"))
  ))

it.prop(
  "any history gives plain JSON, and a prefix with its rest is the whole",
  [Schema.Array(CatalogEvent), Schema.Int],
  ([events, n]) => {
    const cut = Math.abs(n) % (events.length + 1)
    const half: Catalog = JSON.parse(JSON.stringify(catalog(...events.slice(0, cut))))
    assert.deepStrictEqual(events.slice(cut).reduce(evolve, half), catalog(...events))
  }
)
