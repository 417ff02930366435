/**
 * A rule that never fires protects nothing: each one is shown a planted violation, and a near miss.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { filesOf, tidy } from "../scripts/tidy.ts"

const header = "/** What it is. */\n"

/** The rules that a file breaks, `line rule`. */
const found = (path: string, text: string, head = header): ReadonlyArray<string> =>
  tidy([{ path, text: head + text }]).map(({ line, rule }) => `${line} ${rule}`)

/** Planted text is put together here, so that this file itself stays tidy. */
const imports = (from: string) => `import { x } from "${from}"\n`
const lines = (count: number) => "const x = 1\n".repeat(count)

describe("who may import whom", () => {
  const cases: ReadonlyArray<readonly [path: string, from: string, allowed: boolean]> = [
    ["events/A.ts", "./B.ts", true],
    ["events/A.ts", "../projections/Catalog.ts", false],
    ["events/A.ts", "effect", true],
    ["events/A.ts", "node:crypto", false],
    ["events/A.ts", "yaml", false],
    ["projections/A.ts", "../events/PipelineEvent.ts", true],
    ["projections/A.ts", "../src/pipeline/decide.ts", false],
    ["src/log/A.ts", "../../projections/PipelineState.ts", false],
    ["src/drivers/file/A.ts", "../Sink.ts", true],
    ["src/drivers/file/A.ts", "../../flow/Plan.ts", false],
    ["src/flow/A.ts", "../drivers/Sink.ts", true],
    ["src/flow/A.ts", "../pipeline/Command.ts", false],
    ["src/pipeline/A.ts", "../flow/Journal.ts", true],
    ["src/pipeline/A.ts", "../config/PipelineFile.ts", false],
    ["src/config/A.ts", "../pipeline/decide.ts", false],
    ["src/api/A.ts", "../../projections/Catalog.ts", true],
    ["src/api/A.ts", "node:fs", false],
    ["src/server/A.ts", "../cli/main.ts", false],
    ["src/cli/A.ts", "../server/Server.ts", true],
    ["src/cli/A.ts", "../testing/index.ts", false],
    ["src/index.ts", "./pipeline/decide.ts", true],
    ["src/index.ts", "./cli/main.ts", false],
    ["src/Millrace.ts", "./server/Server.ts", false],
    ["src/testing/index.ts", "../index.ts", true],
    ["src/testing/index.ts", "../cli/main.ts", false],
    ["src/flow/A.ts", "effect/http", false],
    ["src/api/A.ts", "effect/http-api", true],
    ["src/cli/A.ts", "effect/cli", true],
    ["src/log/Postgres.ts", "effect/sql", true],
    ["src/log/Sqlite.ts", "effect/sql", false]
  ]
  for (const [path, from, allowed] of cases) {
    it(`${path} ${allowed ? "may" : "may not"} import ${from}`, () =>
      assert.deepStrictEqual(found(path, imports(from)), allowed ? [] : ["2 import"]))
  }

  it("sees dynamic imports, re-exports and imports for their effect", () =>
    assert.deepStrictEqual(
      found("events/A.ts", `const x = import("yaml")\nexport * from "yaml"\nimport "yaml"\n`),
      ["2 import", "3 import", "4 import"]
    ))

  it("wants a row for every room", () => {
    assert.deepStrictEqual(found("src/attic/A.ts", ""), ["1 room"])
    assert.deepStrictEqual(found("src/Other.ts", ""), ["1 room"])
  })
})

describe("what only the rim may call", () => {
  const planted = ["Date.now()", "new Date()", "Math.random()", "crypto.randomUUID()", "console.log(1)"]
  for (const call of [...planted, "setTimeout(f, 1)", "setInterval(f, 1)", "process.env.HOME"]) {
    it(call, () => {
      assert.deepStrictEqual(found("src/flow/A.ts", `const x = ${call}\n`), ["2 call"])
      assert.deepStrictEqual(found("src/cli/A.ts", `const x = ${call}\n`), [])
      assert.deepStrictEqual(found("src/flow/A.ts", `// ${call} would be wrong here\n`), [])
    })
  }
  it("a date made from a number is a value", () =>
    assert.deepStrictEqual(found("src/flow/A.ts", "const x = new Date(0)\n"), []))
  it("config may read the environment, the server may not", () => {
    assert.deepStrictEqual(found("src/config/A.ts", "const x = process.env.HOME\n"), [])
    assert.deepStrictEqual(found("src/server/A.ts", "const x = process.env.HOME\n"), ["2 call"])
  })
  it("a call inside a template is a call", () =>
    assert.deepStrictEqual(found("src/flow/A.ts", "const x = `$" + "{Date.now()}`\n"), ["2 call"]))
})

describe("the shape of a file", () => {
  it("begins with what it is", () => {
    assert.deepStrictEqual(found("src/flow/A.ts", "const x = 1\n", ""), ["1 header"])
    assert.deepStrictEqual(found("src/flow/A.ts", "const x = 1\n", "/** */\n"), ["1 header"])
    assert.deepStrictEqual(found("src/cli/A.ts", header, "#!/usr/bin/env node\n"), [])
  })
  it("has 300 lines at most, or a reason", () => {
    assert.deepStrictEqual(found("src/flow/A.ts", lines(299)), [])
    assert.deepStrictEqual(found("src/flow/A.ts", lines(300)), ["301 length"])
    assert.deepStrictEqual(found("src/flow/A.ts", lines(300), "/** Longer than a room: one table. */\n"), [])
    assert.deepStrictEqual(found("test/flow/A.test.ts", lines(300)), [])
  })
  for (const path of ["src/flow/utils.ts", "src/helpers/A.ts", "test/common/A.test.ts", "events/types.ts"]) {
    it(`${path} is no name`, () => assert.include(found(path, ""), "1 name"))
  }
  it("hides no error", () => {
    assert.deepStrictEqual(found("src/flow/A.ts", `const x = 1 as ${"any"}\n`), ["2 shortcut"])
    assert.deepStrictEqual(found("src/flow/A.ts", `// @ts-${"ignore"}\n`), ["2 shortcut"])
    assert.deepStrictEqual(found("src/flow/A.ts", `// TO${"DO"} later\n`), ["2 shortcut"])
  })
  it("knows no machine and no registry", () => {
    assert.deepStrictEqual(found("test/A.test.ts", `const x = "/wo${"rk"}/main"\n`), ["2 place"])
    assert.deepStrictEqual(found("scripts/A.ts", `const x = "/ho${"me"}/me"\n`), ["2 place"])
    assert.deepStrictEqual(found("src/flow/A.ts", `const x = "https://registry.npm${"js"}.org"\n`), [
      "2 place"
    ])
    assert.deepStrictEqual(found("src/flow/A.ts", `import x from "./workers/home.ts"\n`), [])
  })
})

describe("tests", () => {
  it("none runs alone", () =>
    assert.deepStrictEqual(found("test/A.test.ts", `it.only("x", f)\n`), ["2 only"]))
  it("a skipped one says why", () => {
    assert.deepStrictEqual(found("test/A.test.ts", `it.skip("x", f)\n`), ["2 skip"])
    assert.deepStrictEqual(found("test/A.test.ts", `// needs a network\nit.skip("x", f)\n`), [])
  })
  it("nobody sleeps without a reason", () => {
    assert.deepStrictEqual(found("test/A.test.ts", `yield* Effect.sleep("1 second")\n`), ["2 sleep"])
    assert.deepStrictEqual(found("test/A.test.ts", "setTimeout(f, 1)\n"), ["2 sleep"])
    assert.deepStrictEqual(found("test/A.test.ts", "setTimeout(f, 1) // the virtual clock's\n"), [])
    assert.deepStrictEqual(found("test/A.test.ts", `const x = "setTimeout(f)"\n`), [])
  })
})

describe("the files it looks at", () => {
  it("are those of the checkout, not what is installed in it", () => {
    const checkout = mkdtempSync(join(tmpdir(), "millrace-tidy-"))
    try {
      for (const folder of ["events", "test/bench/node_modules/peer", "test/bench/appends"]) {
        mkdirSync(join(checkout, folder), { recursive: true })
        writeFileSync(join(checkout, folder, "A.ts"), header)
      }
      assert.deepStrictEqual(
        filesOf(checkout).map(({ path }) => path),
        ["events/A.ts", "test/bench/appends/A.ts"]
      )
    } finally {
      rmSync(checkout, { recursive: true, force: true })
    }
  })
})
