/**
 * The rules a compiler cannot check: who may import whom, how long a file may be, what only the rim
 * may call. `npm run check` runs it; every finding is one line, `file:line rule message`.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { dirname, join, normalize } from "node:path"

/** Everything below the faces of the house, in the order in which it stands on itself. */
const engine = [
  "events",
  "projections",
  "src/metrics",
  "src/log",
  "src/drivers",
  "src/schedule",
  "src/flow",
  "src/pipeline",
  "src/config",
  "src/api"
]

/** Room to the rooms it may look into besides itself. A room without a row is a finding. */
const mayImport: Readonly<Record<string, ReadonlyArray<string>>> = {
  events: [],
  projections: ["events"],
  "src/metrics": ["events", "projections"],
  "src/log": ["events", "src/metrics"],
  "src/drivers": ["events"],
  "src/schedule": ["events"],
  "src/flow": ["events", "projections", "src/drivers"],
  "src/pipeline": [
    "events",
    "projections",
    "src/metrics",
    "src/log",
    "src/drivers",
    "src/schedule",
    "src/flow"
  ],
  "src/config": ["events", "src/drivers", "src/schedule", "src/flow"],
  "src/api": ["events", "projections"],
  "src/face": engine,
  "src/testing": [...engine, "src/face"],
  "src/server": [...engine, "src/face"],
  "src/cli": [...engine, "src/face", "src/server"]
}

/** The files directly in `src`: what a program imports. */
const face = ["src/index.ts", "src/Millrace.ts"]

/** Rooms that run anywhere, a browser included: of packages they import `effect` alone, and nothing of Node's. */
const pureRooms = ["events", "projections", "src/api"]

/** Modules of effect that may still change stay in the rim: in these rooms, and in files that provide a layer. */
const unstableModules = ["cluster", "sql", "http", "http-api", "cli", "observability"]
const unstableRooms = ["src/api", "src/server", "src/cli", "src/cluster"]
const unstableFiles = [/^src\/log\/Postgres\w*\.ts$/, /\/[Ll]ayer\w*\.ts$/]

const rim = ["src/cli", "src/server"]
interface Call {
  readonly pattern: RegExp
  readonly instead: string
  /** Rooms that may. */
  readonly rooms: ReadonlyArray<string>
}
const calls: ReadonlyArray<Call> = [
  { pattern: /\bDate\.now\b/, instead: "Clock", rooms: rim },
  { pattern: /\bnew Date\(\s*\)/, instead: "Clock", rooms: rim },
  { pattern: /\bMath\.random\b/, instead: "Random", rooms: rim },
  { pattern: /\brandomUUID\b/, instead: "nextId over Clock and Random", rooms: rim },
  { pattern: /\bset(?:Timeout|Interval)\s*\(/, instead: "Effect.sleep or a Schedule", rooms: rim },
  { pattern: /\bconsole\.\w+/, instead: "Effect's logger or Console", rooms: rim },
  { pattern: /\bprocess\.env\b/, instead: "Config", rooms: ["src/cli", "src/config"] }
]

const linesMost = 300
const longerReason = /Longer than a room: \S+/
const vagueNames = /^(?:utils?|helpers?|common|types|misc)$/i
const homePath = /(?:^|[\s"'`(=:])\/(?:work|home)(?:\/|\b)/
const registryHost = /\b(?:registry\.npmjs|npmjs\.(?:org|com)|pypi\.org|crates\.io|proxy\.golang)/
const roots = ["events", "projections", "src", "test", "scripts"]

/** A file as the rules see it; `path` is relative to the checkout, with forward slashes. */
export interface TidyFile {
  readonly path: string
  readonly text: string
}

export interface TidyFinding {
  readonly file: string
  readonly line: number
  readonly rule: string
  readonly message: string
}

export const tidy = (files: ReadonlyArray<TidyFile>): ReadonlyArray<TidyFinding> =>
  files.flatMap((file) => {
    const room = roomOf(file.path)
    const everywhere = [...checkNames(file), ...checkPlaces(file)]
    if (room === "scripts") return everywhere
    if (room === "test") return [...everywhere, ...checkTests(file)]
    return [
      ...everywhere,
      ...checkHeader(file),
      ...checkLength(file),
      ...checkImports(file, room),
      ...checkCalls(file, room),
      ...checkShortcuts(file)
    ]
  })

/** Every TypeScript file of the checkout that the rules are about. */
export const filesOf = (checkout: string): ReadonlyArray<TidyFile> =>
  roots
    .filter((root) => existsSync(join(checkout, root)))
    .flatMap((root) =>
      readdirSync(join(checkout, root), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts") && !path.split(/[\\/]/).includes("node_modules"))
        .map((path) => `${root}/${path.replaceAll("\\", "/")}`)
        .sort()
    )
    .map((path) => ({ path, text: readFileSync(join(checkout, path), "utf8") }))

const roomOf = (path: string): string => {
  const [root, folder, ...rest] = path.split("/")
  if (root !== "src") return root ?? path
  return rest.length === 0 ? "src/face" : `src/${folder}`
}

/** Comments become blanks, so that a rule may be named where it is explained; strings too, if asked. */
const codeOf = (text: string, strings: "keep" | "blank"): string =>
  text.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (found, string) => (string !== undefined && strings === "keep" ? found : found.replace(/[^\n]/g, " "))
  )

const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length

/** One finding for each match of the pattern. */
const matches = (
  { path }: TidyFile,
  text: string,
  rule: string,
  pattern: RegExp,
  message: (found: string) => string
): ReadonlyArray<TidyFinding> =>
  [...text.matchAll(new RegExp(pattern, `${pattern.flags.replace("g", "")}g`))].map((match) => ({
    file: path,
    line: lineAt(text, match.index),
    rule,
    message: message(match[0].trim())
  }))

const checkNames = ({ path }: TidyFile): ReadonlyArray<TidyFinding> =>
  path
    .split("/")
    .map((segment) => segment.replace(/(?:\.test)?\.ts$/, ""))
    .filter((name) => vagueNames.test(name))
    .map((name) => ({
      file: path,
      line: 1,
      rule: "name",
      message: `${name} says nothing: name the noun or verb`
    }))

const checkPlaces = (file: TidyFile): ReadonlyArray<TidyFinding> => [
  ...matches(file, file.text, "place", homePath, () => "a path of one machine"),
  ...matches(
    file,
    file.text,
    "place",
    registryHost,
    (host) => `${host}: a registry's host is no business of the code`
  )
]

const checkHeader = ({ path, text }: TidyFile): ReadonlyArray<TidyFinding> =>
  /^(?:#![^\n]*\n)?\s*\/\*\*(?!\/)(?:(?!\*\/)[\s\S])*?\w/.test(text)
    ? []
    : [{ file: path, line: 1, rule: "header", message: "a file begins with a comment that says what it is" }]

const checkLength = ({ path, text }: TidyFile): ReadonlyArray<TidyFinding> => {
  const lines = text.trimEnd().split("\n").length
  const header = /\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? ""
  return lines <= linesMost || longerReason.test(header)
    ? []
    : [
        {
          file: path,
          line: linesMost + 1,
          rule: "length",
          message: `${lines} lines: a second file is due (or the header says "Longer than a room: why")`
        }
      ]
}

const importOf = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s*)"([^"\n]+)"/gm

const checkImports = (file: TidyFile, room: string): ReadonlyArray<TidyFinding> => {
  const known = mayImport[room]
  if (known === undefined || (room === "src/face" && !face.includes(file.path))) {
    return [{ file: file.path, line: 1, rule: "room", message: `${room} has no row in the import matrix` }]
  }
  const code = codeOf(file.text, "keep")
  return [...code.matchAll(importOf)].flatMap((match) => {
    const message = wrongImport(file.path, room, known, match[1]!)
    const line = lineAt(code, match.index + match[0].indexOf('"'))
    return message === undefined ? [] : [{ file: file.path, line, rule: "import", message }]
  })
}

const wrongImport = (
  path: string,
  room: string,
  known: ReadonlyArray<string>,
  wanted: string
): string | undefined => {
  if (wanted.startsWith(".")) {
    const to = roomOf(normalize(join(dirname(path), wanted)).replaceAll("\\", "/"))
    return to === room || known.includes(to) ? undefined : `${room} may not import ${to}`
  }
  const [name, ...rest] = wanted.split("/")
  if (name === "effect" && unstableModules.includes(rest[0] ?? "")) {
    return unstableRooms.includes(room) || unstableFiles.some((allowed) => allowed.test(path))
      ? undefined
      : `${wanted} is unstable: it stays in the rim`
  }
  if (!pureRooms.includes(room) || wanted === "effect") return undefined
  const kind = wanted.startsWith("node:") || builtinModules.includes(wanted) ? "Node's" : "a package"
  return `${room} imports effect and nothing else; ${wanted} is ${kind}`
}

const checkCalls = (file: TidyFile, room: string): ReadonlyArray<TidyFinding> => {
  const code = codeOf(file.text, "keep")
  return calls
    .filter(({ rooms }) => !rooms.includes(room))
    .flatMap(({ instead, pattern }) =>
      matches(file, code, "call", pattern, (found) => `${found} belongs to the rim: use ${instead}`)
    )
}

const checkShortcuts = (file: TidyFile): ReadonlyArray<TidyFinding> => [
  ...matches(file, codeOf(file.text, "keep"), "shortcut", /\bas any\b/, () => "`as any` hides an error"),
  ...matches(file, file.text, "shortcut", /@ts-(?:ignore|nocheck)/, (found) => `${found} hides an error`),
  ...matches(file, file.text, "shortcut", /\b(?:TODO|FIXME)\b/, (found) => `${found}: do it or leave it`)
]

/** A skipped test and a real sleep need a line comment, on their line or above it, that says why. */
const checkTests = (file: TidyFile): ReadonlyArray<TidyFinding> => {
  const code = codeOf(file.text, "blank")
  const lines = file.text.split("\n")
  const explained = ({ line }: TidyFinding): boolean =>
    [lines[line - 2], lines[line - 1]].some((text) => /\/\/ \S+ \S+/.test(text ?? ""))
  const unlessExplained = [
    ...matches(file, code, "skip", /\.skip\b/, () => "a skipped test says why"),
    ...matches(
      file,
      code,
      "sleep",
      /\bset(?:Timeout|Interval)\s*\(|\bEffect\.sleep\b/,
      (found) => `${found}: wait for a fact`
    )
  ].filter((finding) => !explained(finding))
  return [
    ...matches(file, code, "only", /\.only\b/, () => "the other tests of this file do not run"),
    ...unlessExplained
  ]
}

if (import.meta.main) {
  const findings = tidy(filesOf(join(import.meta.dirname, "..")))
  for (const { file, line, message, rule } of findings) console.log(`${file}:${line} ${rule} ${message}`)
  if (findings.length > 0) process.exitCode = 1
}
