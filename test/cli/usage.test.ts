import { spawn } from "node:child_process"
import { resolve } from "node:path"
import { Command } from "effect/cli"
import { assert, describe, it } from "vitest"
import { root } from "../../src/cli/root.ts"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain } from "./commandLine.ts"

describe("mistakes on the command line", () => {
  it.each([
    [["rnu"], null, /did you mean run\?/],
    [["run", "--abandn", "x.yaml"], "run", /did you mean --abandon\?/],
    [["run"], "run", /millrace run --help/],
    [["events", "x", "--limit", "0"], "events", /millrace events --help/],
    [["dead-letters", "x", "lst"], "dead-letters", /millrace dead-letters --help/],
    [["graph", "x", "--format", "png"], "graph", /millrace graph --help/],
    [[], null, /millrace --help/]
  ])("%j is bad input, said as JSON where it is wanted", async (args, command, suggestion) => {
    using folder = temporaryFolder()
    const { code, json } = await ask(folder.path, ...args)
    assert.equal(code, 2)
    assert.deepInclude(json, { ok: false, command, result: null })
    assert.equal(json.error.code, "usage")
    assert.match(json.error.suggestion, suggestion)
  })

  it("are told on stderr, in three lines and without a stack", async () => {
    using folder = temporaryFolder()
    const { code, stderr, stdout } = await run(folder.path, "rnu")
    assert.deepEqual([code, stdout], [2, ""])
    assert.equal(
      stderr,
      '✗ usage\n  Unknown subcommand "rnu" for "millrace"\n  → did you mean run? see `millrace --help`\n'
    )
  })
})

describe("help", () => {
  it("has an example for every verb", () => {
    const verbs = root.subcommands.flatMap(({ commands }) => commands)
    assert.isAtLeast(verbs.length, 11)
    for (const verb of [root, ...verbs]) {
      assert.isTrue(Command.isCommand(verb))
      assert.isAtLeast(verb.examples.length, 1, verb.name)
      for (const { command } of verb.examples) assert.match(command, /^millrace( |$)/)
    }
  })

  it("goes to stdout, plain where there is no terminal", async () => {
    using folder = temporaryFolder()
    const help = await run(folder.path, "events", "--help")
    assert.equal(help.code, 0)
    assert.match(help.stdout, /EXAMPLES\n/)
    assertPlain(help.stdout)
    const { json } = await ask(folder.path, "events", "--help")
    assert.include(json.result.help, "--follow")
  })

  it("the version is that of the package", async () => {
    using folder = temporaryFolder()
    assert.match((await run(folder.path, "--version")).stdout, /^millrace \d+\.\d+\.\d+/)
  })

  it("completions are a script for the shell", async () => {
    using folder = temporaryFolder()
    const { code, stdout } = await run(folder.path, "--completions", "bash")
    assert.equal(code, 0)
    assert.include(stdout, "dead-letters")
  })
})

it("ends quietly when nobody reads on", async () => {
  using folder = temporaryFolder()
  const main = resolve(import.meta.dirname, "../../src/cli/main.ts")
  const child = spawn(process.execPath, [main, "--completions", "bash"], { cwd: folder.path })
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  child.stdout.destroy()
  const code = await new Promise((resolve) => child.on("close", resolve))
  assert.deepEqual([code, stderr], [0, ""])
})
