import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { run, temporaryFolder } from "../process/CommandLine.ts"
import { ask, assertPlain } from "./commandLine.ts"

describe("millrace token", () => {
  it("shows a token once, lists names and scopes, and takes it away", async () => {
    using folder = temporaryFolder()
    const made = await ask(folder.path, "token", "new", "deploy-bot", "--scope", "admin")
    assert.deepInclude(made.json, { ok: true, command: "token" })
    const { created_at, name, scope, token } = made.json.result
    assert.deepEqual([name, scope], ["deploy-bot", "admin"])
    assert.match(token, /^mlr_[\w-]{43}$/)
    const listed = await ask(folder.path, "token", "list")
    assert.deepEqual(listed.json.result, { tokens: [{ name, scope, created_at }] })
    assert.notInclude(readFileSync(join(folder.path, ".millrace", "tokens.json"), "utf8"), token)
    const revoked = await ask(folder.path, "token", "revoke", "deploy-bot")
    assert.deepEqual(revoked.json.result, { name, revoked: true })
    assert.deepEqual((await ask(folder.path, "token", "list")).json.result, { tokens: [] })
  })

  it("gives the token a line of its own", async () => {
    using folder = temporaryFolder()
    const { code, stdout } = await run(folder.path, "token", "new", "a")
    assert.strictEqual(code, 0)
    assert.match(stdout, /^mlr_[\w-]{43}\n✓ a may operate\./)
    assertPlain(stdout)
  })

  it.each([
    [["token", "revoke", "nobody"], 2, "unknown_token"],
    [["token", "new", "a b"], 2, "bad_token_name"],
    [["token", "new"], 2, "usage"],
    [["token", "new", "a", "--scope", "root"], 2, "usage"]
  ])("%j exits %i with %s", async (args, code, error) => {
    using folder = temporaryFolder()
    const answered = await ask(folder.path, ...args)
    assert.deepEqual([answered.code, answered.json.error.code], [code, error])
  })

  it("does not touch a file it does not understand", async () => {
    using folder = temporaryFolder()
    await ask(folder.path, "token", "new", "a")
    const path = join(folder.path, ".millrace", "tokens.json")
    writeFileSync(path, "{")
    const { code, json } = await ask(folder.path, "token", "new", "b")
    assert.deepEqual([code, json.error.code], [3, "tokens_damaged"])
    assert.strictEqual(readFileSync(path, "utf8"), "{")
  })
})
