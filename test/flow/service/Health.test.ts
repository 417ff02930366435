/**
 * Who gets calls, and when somebody who was out is tried again.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import * as Health from "../../../src/flow/service/Health.ts"

const failing = (times: number, now: number, from = Health.healthy): Health.Health =>
  Array.from({ length: times }).reduce<Health.Health>((health) => Health.failed(health, now), from)

it("three failures in a row put an endpoint out, a good call between them does not let it come to that", () => {
  assert.strictEqual(Health.standing(failing(2, 0), 0), "in")
  assert.strictEqual(Health.standing(failing(3, 0), 0), "out")
  assert.strictEqual(Health.standing(failing(2, 0, Health.succeeded()), 0), "in")
})

it("after its time one call tries it: good, it is in; bad, it is out for twice as long", () => {
  const out = failing(3, 0)
  assert.strictEqual(Health.standing(out, 999), "out")
  assert.strictEqual(Health.standing(out, 1000), "trial")
  const tried = Health.asked(out, 1000)
  assert.strictEqual(Health.standing(tried, 1000), "out")
  assert.strictEqual(Health.standing(Health.released(tried), 1000), "trial")
  assert.strictEqual(Health.standing(Health.succeeded(), 1000), "in")
  const worse = Health.failed(tried, 1000)
  assert.strictEqual(Health.standing(worse, 2999), "out")
  assert.strictEqual(Health.standing(worse, 3000), "trial")
  let health = out
  let now = 0
  for (let trial = 0; trial < 20; trial++) {
    now = health.outUntil
    health = Health.failed(Health.asked(health, now), now)
  }
  assert.strictEqual(health.outUntil - now, 60_000)
})

it("calls that were on their way when it was put out do not put it out again", () => {
  const out = failing(3, 0)
  assert.deepStrictEqual(failing(5, 10, out), out)
})

it("who asks to be left alone is, within reason, and is in again after that", () => {
  const quiet = Health.quieted(Health.healthy, 0, 5000)
  assert.strictEqual(Health.standing(quiet, 4999), "out")
  assert.strictEqual(Health.standing(quiet, 5000), "in")
  assert.strictEqual(Health.standing(Health.quieted(Health.healthy, 0, 1e9), 300_000), "in")
})

it("a failed check puts it out until the check after next, a good one gives it its trial", () => {
  const unwell = Health.unwell(Health.healthy, 20_000)
  assert.strictEqual(Health.standing(unwell, 19_999), "out")
  assert.strictEqual(Health.standing(Health.recovered(unwell, 10_000), 10_000), "trial")
  assert.deepStrictEqual(Health.recovered(Health.healthy, 10_000), Health.healthy)
})
