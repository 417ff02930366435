/**
 * The libraries Millrace is compared with. They belong to the benchmarks alone: `package.json` beside this
 * file names their exact versions, they are installed here when the benchmarks run, and no type of theirs
 * is needed to compile.
 *
 * @module
 */
import { spawnSync } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"

const here = import.meta.dirname

/** Installs the peers unless they are there; answers why they cannot be had. */
export const installPeers = (): string | null => {
  const installed = statSync(join(here, "node_modules/.package-lock.json"), { throwIfNoEntry: false })
  if (installed !== undefined && installed.mtimeMs >= statSync(join(here, "package-lock.json")).mtimeMs) {
    return null
  }
  const args = ["ci", "--prefix", here, "--ignore-scripts", "--no-audit", "--no-fund"]
  const { error, status, stderr } = spawnSync("npm", args, { encoding: "utf8", timeout: 180_000 })
  if (error === undefined && status === 0) return null
  const code = /npm error code (\w+)/.exec(stderr ?? "")?.[1]
  return `\`npm ci\` in test/bench failed (${code ?? error?.name ?? `exit ${status}`})`
}

/** `@dbos-inc/dbos-sdk 5.3.0`: a peer with the version it is compared in. */
export const versioned = (peer: string): string => {
  const { dependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  return `\`${peer}\` ${dependencies[peer]}`
}

/** As much of an event store of emmett as is measured. */
export interface EmmettStore {
  readonly appendToStream: (
    stream: string,
    events: ReadonlyArray<{ readonly type: string; readonly data: unknown }>,
    options: { readonly expectedStreamVersion: bigint | "STREAM_DOES_NOT_EXIST" }
  ) => Promise<{ readonly nextExpectedStreamVersion: bigint }>
  readonly schema: { readonly migrate: () => Promise<unknown> }
  readonly close: () => Promise<void>
}

export const emmettName = "@event-driven-io/emmett-postgresql"

/** Opens a store with so many connections: with its default of ten, sixteen streams would wait for them. */
export const openEmmettStore = async (url: string, connections: number): Promise<EmmettStore> => {
  const emmett = (await import(emmettName)) as {
    readonly getPostgreSQLEventStore: (url: string, options: object) => EmmettStore
  }
  const client = (await import(emmettClient)) as {
    readonly default: {
      readonly Pool: new (options: object) => { readonly end: () => Promise<void> }
    }
  }
  const pool = new client.default.Pool({ connectionString: url, max: connections })
  const store = emmett.getPostgreSQLEventStore(url, { connectionOptions: { pooled: true, pool } })
  return {
    appendToStream: (...given) => store.appendToStream(...given),
    schema: store.schema,
    close: async () => {
      await store.close()
      await pool.end()
    }
  }
}

const emmettClient = "pg"

/** As much of DBOS as is measured. */
export interface Dbos {
  readonly setConfig: (config: {
    readonly name: string
    readonly systemDatabaseUrl: string
    readonly systemDatabasePoolSize: number
    readonly logger: Readonly<Record<"debug" | "info" | "warn" | "error", (entry: unknown) => void>>
  }) => void
  readonly launch: () => Promise<void>
  readonly shutdown: () => Promise<void>
  readonly registerWorkflow: <A, B>(
    workflow: (input: A) => Promise<B>,
    config: { readonly name: string }
  ) => (input: A) => Promise<B>
  readonly runStep: <A>(step: () => Promise<A>, config: { readonly name: string }) => Promise<A>
}

export const dbosName = "@dbos-inc/dbos-sdk"

export const loadDbos = async (): Promise<Dbos> => ((await import(dbosName)) as { readonly DBOS: Dbos }).DBOS
