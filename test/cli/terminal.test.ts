import { afterEach, assert, describe, it, vi } from "vitest"
import { codeOfRun, combined } from "../../src/cli/exitCode.ts"
import { cut, duration, plural, shown, styleOf, table } from "../../src/cli/terminal.ts"

afterEach(() => {
  vi.unstubAllEnvs()
})

describe("text for a terminal", () => {
  it("shows control characters instead of obeying them", () => {
    assert.equal(shown("a\u001b[31mb\r\nc\u009b\u202ed"), "a\\u001b[31mb\\r\\nc\\u009b\\u202ed")
    assert.equal(shown("Zürich 東京 ✓"), "Zürich 東京 ✓")
  })

  it("is coloured on a terminal, unless NO_COLOR is set or it is a dumb one", () => {
    vi.stubEnv("NO_COLOR", "")
    vi.stubEnv("TERM", "xterm")
    assert.equal(styleOf({ isTTY: true }).red("x"), "\u001b[31mx\u001b[0m")
    assert.equal(styleOf({ isTTY: true }).red(""), "")
    assert.equal(styleOf({ isTTY: false }).red("x"), "x")
    vi.stubEnv("TERM", "dumb")
    assert.equal(styleOf({ isTTY: true }).red("x"), "x")
    vi.stubEnv("TERM", "xterm")
    vi.stubEnv("NO_COLOR", "1")
    assert.equal(styleOf({ isTTY: true }).red("x"), "x")
  })

  it("says how long and how many", () => {
    assert.deepEqual([0, 999, 59_940, 250_000, 7_500_000].map(duration), [
      "0 ms",
      "999 ms",
      "59.9 s",
      "4 min 10 s",
      "2 h 5 min"
    ])
    assert.deepEqual([plural(1, "record"), plural(1234, "record")], ["1 record", "1,234 records"])
    assert.equal(cut("abcdef", 4), "abc…")
    assert.deepEqual(
      table(
        [
          ["a", "1"],
          ["bb", "10"]
        ],
        [1]
      ),
      ["a    1", "bb  10"]
    )
  })
})

describe("exit codes", () => {
  it("tell a bad run from bad surroundings", () => {
    assert.equal(codeOfRun("file_not_found"), 1)
    assert.equal(codeOfRun("disk_full"), 3)
  })

  it("of several pipelines are one", () => {
    assert.equal(combined([0, 0]), 0)
    assert.equal(combined([0, 2, 2]), 2)
    assert.equal(combined([2, 3]), 1)
  })
})
