import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { EventLog } from "../../src/log/EventLog.ts"
import { layerSqlite, readHolder } from "../../src/log/Sqlite.ts"
import { verify } from "../../src/log/verify.ts"
import { newEvent, newEvents } from "../contracts/newEvent.ts"
import { append, idsOf } from "../contracts/onLog.ts"
import { temporaryDirectory } from "./temporary.ts"

describe("a writer killed by SIGKILL", () => {
  it.effect("held the lock, frees it, and what it called durable is there", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const { child, durable } = yield* Effect.promise(() =>
        killedAfter(directory, 20, async (child) => {
          const exit = await Effect.runPromiseExit(Effect.scoped(Layer.build(layerSqlite({ directory }))))
          assert.match(JSON.stringify(Exit.findErrorOption(exit)), new RegExp(`process ${child.pid} on`))
        })
      )
      assert.strictEqual(child.signalCode, "SIGKILL")
      assert.strictEqual(
        (yield* readHolder(directory).pipe(Effect.flatMap(Effect.fromOption))).pid,
        child.pid
      )
      yield* Effect.gen(function* () {
        const head = yield* (yield* EventLog).claim("a")
        assert.isAtLeast(head.version, durable)
        assert.strictEqual(head.version % 3, 0, "an append is all or nothing")
        assert.deepStrictEqual(yield* verify(), { streams: 1, events: head.version, firstBad: null })
      }).pipe(Effect.provide(layerSqlite({ directory })))
    })
  )
})

const canMount = process.platform === "linux" && process.getuid?.() === 0

describe.skipIf(!canMount)("a full disk (needs root on Linux, to mount a small tmpfs)", () => {
  it.effect("refuses to open below the minimum", () =>
    Effect.gen(function* () {
      const directory = yield* smallDisk("8m")
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layerSqlite({ directory }))))
      assert.strictEqual(error.reason._tag, "DiskFull")
    })
  )

  it.effect("loses nothing, half-writes nothing, and works again once there is space", () =>
    Effect.gen(function* () {
      const directory = yield* smallDisk("24m")
      yield* Effect.gen(function* () {
        const log = yield* EventLog
        let head = yield* append(log, yield* log.claim("a"), newEvents("a", 3))
        writeFileSync(join(directory, "ballast"), Buffer.alloc(20 * 1024 * 1024))
        const big = (n: number) => [newEvent(`big-${n}`, { payload: JSON.stringify("x".repeat(400_000)) })]
        let n = 0
        const fill = Effect.suspend(() => append(log, head, big(n)))
        let exit = yield* Effect.exit(fill)
        while (Exit.isSuccess(exit)) {
          head = exit.value
          n += 1
          exit = yield* Effect.exit(fill)
        }
        const error = yield* Effect.flip(fill)
        assert.isTrue(error._tag === "LogError" && error.reason._tag === "DiskFull")
        assert.deepStrictEqual(yield* log.heads, [head])
        assert.isNull((yield* verify()).firstBad)

        rmSync(join(directory, "ballast"))
        const after = yield* fill
        assert.strictEqual(after.version, head.version + 1)
        assert.strictEqual((yield* idsOf(log, "a")).length, after.version)
        assert.isNull((yield* verify()).firstBad)
      }).pipe(Effect.provide(layerSqlite({ directory })))
    })
  )
})

/** Runs a writer until it has called `lines` appends durable, then kills it; `durable` is the last version it named. */
const killedAfter = async (
  directory: string,
  lines: number,
  meanwhile: (child: ReturnType<typeof spawn>) => Promise<void>
) => {
  const script = fileURLToPath(new URL("./writer.ts", import.meta.url))
  const child = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "inherit"] })
  try {
    const exited = once(child, "exit")
    let durable = 0
    let seen = 0
    for await (const line of createInterface({ input: child.stdout })) {
      durable = Number(line)
      seen += 1
      if (seen === lines) {
        await meanwhile(child)
        child.kill("SIGKILL")
      }
    }
    await exited
    return { child, durable }
  } finally {
    child.kill("SIGKILL")
  }
}

/** A directory on a file system of its own that holds no more than `size`. */
const smallDisk = (size: string) =>
  Effect.flatMap(temporaryDirectory, (parent) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const directory = join(parent, "disk")
        mkdirSync(directory)
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory])
        return directory
      }),
      (directory) => Effect.sync(() => execFileSync("umount", ["-l", directory]))
    )
  )
