/**
 * Writes what documentation can be made from the code: `src/server/METRICS.md` from the metric table, and the
 * drawings of `ARCHITECTURE.md` from the transition tables. `--check` writes nothing and exits 1 when a file
 * is not what it would write.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import {
  deployments,
  deploymentTransitions,
  lifecycles,
  lifecycleTransitions
} from "../projections/transitions.ts"
import { type MetricRow, metricTable } from "../src/metrics/metricTable.ts"
import { pipelinesMost } from "../src/metrics/SeriesRoom.ts"

export interface Generated {
  /** Relative to the checkout. */
  readonly path: string
  /** The file as it should be, made of the file as it is. */
  readonly make: (now: string) => string
}

export const generated: ReadonlyArray<Generated> = [
  { path: "src/server/METRICS.md", make: () => metricsPage() },
  { path: "ARCHITECTURE.md", make: (now) => withSection(now, "transitions", drawings()) }
]

/** The text of a generated file as it stands in the checkout; empty when there is none. */
export const readGenerated = ({ path }: Generated): string => {
  try {
    return readFileSync(pathOf(path), "utf8")
  } catch {
    return ""
  }
}

const pathOf = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

const metricsPage = (): string => `# Metrics

Written by \`npm run document\` from \`src/metrics/metricTable.ts\`; a test fails when it is not.

\`GET /metrics\` answers with these in Prometheus' text format; with \`OTEL_EXPORTER_OTLP_ENDPOINT\` set they are
exported over OTLP as well. Counters count what this process did, from 0 at its start. \`status\` and \`reason\`
have the values given here and no others. At most ${pipelinesMost.toLocaleString("en")} pipelines have series of their own: those that
are awake, then those that fell asleep last; gauges of one pipeline are there only while it is awake.

| name | type | unit | labels | |
|---|---|---|---|---|
${Object.entries(metricTable).map(metricLine).join("\n")}
`

const metricLine = ([name, row]: readonly [string, MetricRow]): string => {
  const { help, kind, labels, unit, values } = row
  const closed = values === undefined ? "" : ` One of ${values.map((value) => `\`${value}\``).join(", ")}.`
  return `| \`${name}\` | ${kind} | ${unit} | ${labels.join(", ")} | ${help}${closed} |`
}

const drawings = (): string =>
  [
    "The run of a pipeline (`lifecycleTransitions`):",
    drawing(lifecycles, lifecycleTransitions, "Idle"),
    "The deployment (`deploymentTransitions`):",
    drawing(deployments, deploymentTransitions, "Shutdown")
  ].join("\n\n")

type Table = Readonly<Record<string, Readonly<Partial<Record<string, string>>>>>

/** One arrow between two states, with every event that leads from one to the other. */
const drawing = (states: ReadonlyArray<string>, table: Table, first: string): string => {
  const arrows = states.flatMap((from) => {
    const steps = Object.entries(table[from] ?? {})
    const targets = [...new Set(steps.map(([, to]) => to))]
    return targets.map((to) => {
      const events = steps.filter((step) => step[1] === to).map(([event]) => event)
      return `  ${from} --> ${to}: ${events.join(", ")}`
    })
  })
  return ["```mermaid", "stateDiagram-v2", `  [*] --> ${first}`, ...arrows, "```"].join("\n")
}

/** Puts the text between the section's two marks. */
const withSection = (page: string, name: string, text: string): string => {
  const begin = `<!-- ${name}: written by npm run document -->`
  const end = `<!-- /${name} -->`
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`there is no section ${name}: ${begin} … ${end}`)
  return `${page.slice(0, from)}${begin}\n${text}\n${page.slice(to)}`
}

if (import.meta.main) {
  for (const each of generated) {
    const now = readGenerated(each)
    const wanted = each.make(now)
    if (now === wanted) continue
    if (process.argv.includes("--check")) {
      console.error(`${each.path} is not up to date: npm run document`)
      process.exitCode = 1
    } else writeFileSync(pathOf(each.path), wanted)
  }
}
