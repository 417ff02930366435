import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import { sourceIn, vega } from "./support.ts"

vi.mock("hyparquet-compressors", () => {
  throw new Error("Cannot find package 'hyparquet-compressors'")
})

it.effect("a Parquet file without the libraries says what to install", () =>
  Effect.gen(function* () {
    const source = yield* sourceIn(process.cwd(), { path: vega("flights-3m.parquet") })
    const error = yield* Effect.flip(source.open(null))
    assert.strictEqual(error.reason.code, "driver_library_missing")
    assert.strictEqual(error.reason.suggestion, "npm install hyparquet hyparquet-compressors")
  })
)
