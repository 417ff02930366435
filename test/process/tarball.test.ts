/**
 * What `npm pack` makes is what somebody installs: packed from the sources, unpacked in a folder far away
 * beside exactly the dependencies it declares, compiled against and run.
 *
 * @module
 */
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { startPostgres } from "../support/PostgresServer.ts"
import { temporaryFolder } from "./CommandLine.ts"

const root = resolve(import.meta.dirname, "../..")
const modules = join(root, "node_modules")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const folder = temporaryFolder()
const app = join(folder.path, "app")
afterAll(() => folder[Symbol.dispose]())

/** Nothing else of the tree is packed or built from. */
const sources = ["events", "projections", "src", "tsconfig.json", "tsconfig.build.json", "package.json"]

beforeAll(() => {
  const checkout = join(folder.path, "checkout")
  for (const name of [...sources, ...manifest.files.filter((name: string) => name !== "dist")])
    cpSync(join(root, name), join(checkout, name), { recursive: true })
  symlinkSync(modules, join(checkout, "node_modules"))
  execFileSync("npm", ["pack", "--pack-destination", folder.path], { cwd: checkout, stdio: "pipe" })

  mkdirSync(join(app, "node_modules"), { recursive: true })
  const tarball = join(folder.path, `${manifest.name}-${manifest.version}.tgz`)
  execFileSync("tar", ["-xzf", tarball, "-C", join(app, "node_modules")])
  renameSync(join(app, "node_modules/package"), join(app, "node_modules", manifest.name))
  // What a program of today has beside it: no optional library.
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) install(name)
  cpSync(join(root, "test/fixtures/program"), app, { recursive: true })
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }))
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
  writeFileSync(join(app, "recorder.mjs"), recorder)
}, 180_000)

/** As strict as a program may be, libraries included. */
const compilerOptions = {
  target: "ES2024",
  // Effect's own types name the web's.
  lib: ["ES2024", "ESNext", "DOM"],
  module: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  skipLibCheck: false,
  noEmit: true,
  types: ["node"]
}

/** Loaded before the program: keeps the address of every module, and writes them when the process ends. */
const recorder = `
import { writeFileSync } from "node:fs"
import { registerHooks } from "node:module"
const urls = new Set()
registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context)
    urls.add(resolved.url)
    return resolved
  }
})
process.on("exit", () => writeFileSync("modules.json", JSON.stringify([...urls])))
`

const install = (name: string): void => {
  const place = join(app, "node_modules", name)
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(join(modules, name), place)
}

/** Runs the program; gives what it said and the modules it loaded. */
const runProgram = (...args: ReadonlyArray<string>) => {
  const stdout = execFileSync(process.execPath, ["--import", "./recorder.mjs", "program.ts", ...args], {
    cwd: app,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"]
  })
  const loaded: ReadonlyArray<string> = JSON.parse(readFileSync(join(app, "modules.json"), "utf8"))
  return { said: JSON.parse(stdout), loaded: (part: string) => loaded.filter((url) => url.includes(part)) }
}

/** 50 orders, two of nothing, one that is refused. */
const expected = {
  lifecycle: "Completed",
  applied: { invoices: 47, large: 9 },
  letters: [[13, "Refused"]],
  invoices: 47,
  large: 9,
  acknowledged: 50
}

const optional = Object.keys(manifest.peerDependencies)

describe("the packed library", () => {
  it("has types that hold, its dependencies' included", () => {
    const compiler = join(modules, "typescript", "bin", "tsc")
    try {
      execFileSync(process.execPath, [compiler, "-p", "."], { cwd: app, encoding: "utf8", stdio: "pipe" })
    } catch (error) {
      assert.fail((error as { readonly stdout: string }).stdout)
    }
  })

  it("runs under the test clock, without a log's library", () => {
    const { loaded, said } = runProgram("test")
    assert.deepStrictEqual(said, expected)
    assert.isNotEmpty(loaded("/millrace/dist/src/index.js"))
    for (const part of [
      "dist/src/cli",
      "node:sqlite",
      "dist/src/log/Sqlite",
      "dist/src/log/Postgres",
      ...optional
    ])
      assert.deepStrictEqual(loaded(part), [], part)
  })

  it("runs on a file, without an optional library", () => {
    const { loaded, said } = runProgram("sqlite", join(folder.path, "data"))
    assert.deepStrictEqual(said, expected)
    assert.isNotEmpty(loaded("node:sqlite"))
    for (const part of ["dist/src/cli", "dist/src/log/Postgres", ...optional])
      assert.deepStrictEqual(loaded(part), [], part)
  })
})

const server = await startPostgres()
afterAll(() => (typeof server === "string" ? undefined : server.stop()))

describe.runIf(typeof server !== "string")("the packed library on Postgres", () => {
  if (typeof server === "string") return

  it("says what to install when the library is missing, and runs once it is there", () => {
    assert.throws(() => runProgram("postgres", server.url), /npm install @effect\/sql-pg/)
    install("@effect/sql-pg")
    const { loaded, said } = runProgram("postgres", server.url)
    assert.deepStrictEqual(said, expected)
    assert.isNotEmpty(loaded("@effect/sql-pg"))
    for (const part of ["dist/src/cli", "node:sqlite", "dist/src/log/Sqlite", "hyparquet"])
      assert.deepStrictEqual(loaded(part), [], part)
  })
})
