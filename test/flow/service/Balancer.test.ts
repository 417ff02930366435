/**
 * Ways of sharing calls, as values.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  type Balancer,
  type Candidate,
  leastConnections,
  roundRobin,
  weighted
} from "../../../src/flow/service/Balancer.ts"
import { makeRing, ownerOf } from "../../../src/flow/service/HashRing.ts"

const candidate = (endpoint: number, weight = 1, calls = 0): Candidate => ({ endpoint, weight, calls })

/** Who takes each of so many calls. */
const turns = (balancer: Balancer, candidates: ReadonlyArray<Candidate>, count: number): string => {
  let now = balancer
  let taken = ""
  for (let call = 0; call < count; call++) {
    const [endpoint, after] = now.next(candidates)
    taken += endpoint
    now = after
  }
  return taken
}

describe("round robin", () => {
  it("goes from one to the next, and leaves out who is out", () => {
    const all = [candidate(0), candidate(1), candidate(2)]
    assert.strictEqual(turns(roundRobin(), all, 7), "0120120")
    assert.strictEqual(turns(roundRobin(0), [candidate(0), candidate(2)], 3), "202")
  })
  it("is a value: asked again it answers the same", () => {
    const balancer = roundRobin()
    assert.strictEqual(balancer.next([candidate(0), candidate(1)])[0], 0)
    assert.strictEqual(balancer.next([candidate(0), candidate(1)])[0], 0)
  })
})

describe("least connections", () => {
  it("asks who has the least to do for its weight, and equals in turn", () => {
    assert.strictEqual(leastConnections().next([candidate(0, 1, 2), candidate(1, 1, 1)])[0], 1)
    assert.strictEqual(leastConnections().next([candidate(0, 4, 3), candidate(1, 1, 1)])[0], 0)
    assert.strictEqual(turns(leastConnections(), [candidate(0), candidate(1)], 4), "0101")
  })
})

describe("weighted", () => {
  it("is smooth: a heavy endpoint does not take its calls in a row", () => {
    assert.strictEqual(turns(weighted(), [candidate(0, 5), candidate(1, 1), candidate(2, 1)], 7), "0010200")
  })
  const Weights = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))).check(
    Schema.isMinLength(1)
  )
  it.prop("gives everyone exactly its share of a round", [Weights], ([weights]) => {
    const candidates = weights.map((weight, endpoint) => candidate(endpoint, weight))
    const round = weights.reduce((sum, weight) => sum + weight, 0)
    let now = weighted()
    const taken = weights.map(() => 0)
    for (let call = 0; call < 2 * round; call++) {
      const [endpoint, after] = now.next(candidates)
      taken[endpoint]!++
      now = after
    }
    assert.deepStrictEqual(
      taken,
      weights.map((weight) => 2 * weight)
    )
  })
})

describe("a hash ring", () => {
  const endpoints = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ url: `http://10.0.0.${n}:80/work`, weight: 1 }))
  const keys = Array.from({ length: 10_000 }, (_, n) => `"user-${n}`)
  const everyone = () => true

  it("spreads keys within bounds, by weight", () => {
    const shares = (of: ReturnType<typeof endpoints>) => {
      const ring = makeRing(of)
      const counts = of.map(() => 0)
      for (const key of keys) counts[ownerOf(ring, key, everyone)!]!++
      return counts.map((count) => count / keys.length)
    }
    for (const share of shares(endpoints(10))) assert.isTrue(share > 0.06 && share < 0.15, `${share}`)
    const [one, three] = shares(endpoints(2).map((each, n) => ({ ...each, weight: n === 0 ? 1 : 3 })))
    assert.closeTo(three! / one!, 3, 0.8)
  })

  const Ring = {
    count: Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 12 })),
    gone: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11 })),
    weight: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))
  }
  it.prop(
    "loses with an endpoint that endpoint's keys and no others, whether it is removed or only out",
    Ring,
    (of) => {
      const all = endpoints(of.count).map((each, n) => (n === 0 ? { ...each, weight: of.weight } : each))
      const gone = of.gone % of.count
      const ring = makeRing(all)
      const rest = all.filter((_, n) => n !== gone)
      const smaller = makeRing(rest)
      for (const key of keys.slice(0, 500)) {
        const before = ownerOf(ring, key, everyone)!
        const after = ownerOf(ring, key, (endpoint) => endpoint !== gone)!
        assert.strictEqual(rest[ownerOf(smaller, key, everyone)!]!.url, all[after]!.url)
        if (before !== gone) assert.strictEqual(after, before)
        else assert.notStrictEqual(after, gone)
      }
    }
  )

  it("does not depend on the order in which endpoints are written", () => {
    const all = endpoints(5)
    const turned = all.toReversed()
    const ring = makeRing(all)
    const other = makeRing(turned)
    for (const key of keys.slice(0, 500)) {
      assert.strictEqual(all[ownerOf(ring, key, everyone)!]!.url, turned[ownerOf(other, key, everyone)!]!.url)
    }
    assert.isUndefined(ownerOf(ring, "k", () => false))
  })
})
