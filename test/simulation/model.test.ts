/**
 * Random graphs, records, refusals, faults and deaths, against a model of what must become of every record.
 *
 * A case that fails is told by its seed and as small as it could be made. `MILLRACE_MODEL=<seed>:<cases>` runs
 * other cases than the usual ones.
 *
 * @module
 */
import "effect/schema/SchemaJITCompiler/enable"
import { Result } from "effect"
import { expect, it } from "vitest"
import { decodeDefinition } from "../../events/Definition.ts"
import { validateGraph } from "../../src/flow/graph/validateGraph.ts"
import { type Case, randomCase } from "./model/Case.ts"
import { describeCase } from "./model/describeCase.ts"
import { type Ran, runCase } from "./model/runCase.ts"
import { shrink } from "./model/shrink.ts"
import { wireOf } from "./model/wireOf.ts"

const [first = 1, cases = 1500] = (process.env.MILLRACE_MODEL ?? "").split(":").filter(Boolean).map(Number)

const seeds = (count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => first + index)

it("makes cases that a person could have written", () => {
  for (const seed of seeds(200)) {
    const definition = Result.getOrThrow(decodeDefinition(wireOf(randomCase(seed))))
    const errors = validateGraph(definition).filter(({ severity }) => severity === "error")
    expect(errors, `seed ${seed}`).toEqual([])
  }
})

it(`gives every record its one outcome on every branch, in ${cases} cases`, {
  timeout: 600_000
}, async () => {
  let killed = 0
  for (const seed of seeds(cases)) {
    const ran = await runCase(randomCase(seed))
    killed += ran.killed
    if (ran.broken.length > 0) throw new Error(await told(seed, ran))
  }
  // A test of crashes in which hardly anybody dies would prove little.
  if (cases >= 100) expect(killed).toBeGreaterThan(cases / 2)
})

const told = async (seed: number, ran: Ran): Promise<string> => {
  const { of, broken } = await smallest(randomCase(seed), ran)
  return [`seed ${seed}:`, ...broken.slice(0, 8), "", describeCase(of), ""].join("\n")
}

const smallest = async (of: Case, ran: Ran): Promise<{ of: Case; broken: ReadonlyArray<string> }> => {
  let { broken } = ran
  const small = await shrink(of, async (smaller) => {
    const again = await runCase(smaller)
    if (again.broken.length > 0) broken = again.broken
    return again.broken.length > 0
  })
  return { of: small, broken }
}
