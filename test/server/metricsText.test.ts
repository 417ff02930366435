/**
 * The text of `/metrics`, and the export to a collector: what was counted, under the names of the table.
 *
 * @module
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Logger, Metric, Tracer } from "effect"
import { metricTable } from "../../src/metrics/metricTable.ts"
import { layerTelemetry } from "../../src/server/layerTelemetry.ts"
import { metricsText } from "../../src/server/metricsText.ts"
import { inProcess, makeWorld, runs } from "../metrics/measuring.ts"
import { topologies } from "../simulation/topologies.ts"

const letters = (world: ReturnType<typeof makeWorld>) => {
  const { definition, fill } = topologies.letters!
  fill(world.hub)
  return inProcess(world, runs(definition as { readonly name: string }))
}

describe("the text for Prometheus", () => {
  it.effect("has the help of the table, a type, and a line for each series", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      yield* letters(world)
      const text = yield* Effect.provideService(metricsText, Metric.MetricRegistry, world.registry)
      const name = "millrace_records_dead_lettered_total"
      assert.include(
        text,
        `# HELP ${name} ${metricTable[name].help}\n# TYPE ${name} counter\n${name}{pipeline="letters",stage="plain"} 2\n`
      )
      assert.include(text, 'millrace_batch_duration_seconds_bucket{pipeline="letters",stage="plain"')
      for (const line of text.trimEnd().split("\n")) {
        assert.match(line, /^(?:# (?:HELP|TYPE) millrace_\w+ .+|millrace_\w+(?:\{[^}]*\})? -?[\d.e+-]+)$/)
      }
    })
  )
})

interface Posted {
  readonly path: string
  readonly body: string
}

/** A collector on a free port that keeps what it is sent. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly posted: Array<Posted>; readonly close: () => void }>(
    (resume) => {
      const posted: Array<Posted> = []
      const server = createServer((request, response) => {
        let body = ""
        request.setEncoding("utf8").on("data", (text: string) => {
          body += text
        })
        request.on("end", () => {
          posted.push({ path: request.url ?? "", body })
          response.setHeader("content-type", "application/json").end("{}")
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => void server.close().closeAllConnections()
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, posted, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

const withEnvironment = (variables: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: variables }))

describe("the export", () => {
  it.live("sends metrics, and one span a batch, to the collector the environment names", () =>
    Effect.gen(function* () {
      const { posted, url } = yield* collector
      const world = makeWorld()
      yield* letters(world).pipe(
        Effect.provide(layerTelemetry),
        withEnvironment({ OTEL_EXPORTER_OTLP_ENDPOINT: url }),
        Effect.provideService(Metric.MetricRegistry, world.registry)
      )
      const of = (path: string) =>
        posted.filter((one) => one.path === path).map(({ body }) => JSON.parse(body))
      const metrics = JSON.stringify(of("/v1/metrics"))
      assert.include(metrics, "millrace_records_read_total")
      assert.include(metrics, '"key":"service.name","value":{"stringValue":"millrace"}')
      const spans = of("/v1/traces").flatMap(({ resourceSpans }) => resourceSpans[0].scopeSpans[0].spans)
      const batches = spans.filter(({ name }) => name === "millrace.batch")
      assert.strictEqual(batches.length, 4)
      const keys = batches[0].attributes.map(({ key }: { readonly key: string }) => key)
      assert.includeMembers(keys, ["pipeline", "batch", "records", "sealed_seconds", "applied_seconds.plain"])
    }).pipe(Effect.scoped)
  )

  it.live("is off when the environment names none, and warns of what is no address", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const logger = Logger.make(({ message }) => void warnings.push(String(message)))
      const built = (environment: Record<string, string>) =>
        Layer.build(layerTelemetry).pipe(
          Effect.scoped,
          Effect.provide(Logger.layer([logger])),
          withEnvironment(environment),
          Effect.map((context) => context.mapUnsafe.has(Tracer.TracerKey))
        )
      assert.isFalse(yield* built({}))
      assert.isFalse(yield* built({ OTEL_EXPORTER_OTLP_ENDPOINT: "" }))
      assert.isEmpty(warnings)
      assert.isFalse(yield* built({ OTEL_EXPORTER_OTLP_ENDPOINT: "nowhere" }))
      assert.match(warnings.join(), /OTEL_EXPORTER_OTLP_ENDPOINT/)
      assert.isTrue(yield* built({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" }))
    })
  )
})
