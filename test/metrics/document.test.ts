import { assert, describe, it } from "vitest"
import { deployments, lifecycles } from "../../projections/transitions.ts"
import { generated, readGenerated } from "../../scripts/document.ts"
import { metricTable } from "../../src/metrics/metricTable.ts"

describe("what is written from the code", () => {
  it.each(generated)("$path is up to date", (file) => {
    const now = readGenerated(file)
    assert.strictEqual(now, file.make(now), "run `npm run document`")
  })

  it("says every metric and every status", () => {
    const [metrics, architecture] = generated.map(readGenerated)
    for (const name of Object.keys(metricTable)) assert.include(metrics, `\`${name}\``)
    for (const status of [...deployments, ...lifecycles]) {
      assert.match(architecture ?? "", new RegExp(`^ {2}${status} --> `, "m"))
    }
  })
})
