/**
 * Metrics, traces and logs to an OpenTelemetry collector, where the environment names one.
 *
 * @module
 */
import { Config, Effect, Layer, Option } from "effect"

/**
 * Exports while the scope is open, and once more when it closes. Off, and nothing of it loaded, unless
 * `OTEL_EXPORTER_OTLP_ENDPOINT` is set; the other `OTEL_…` variables of the OpenTelemetry specification mean
 * what they say there. Provide it around everything that is to be seen, the log and the pipelines included:
 * what is built outside of it is not traced.
 *
 * A collector that is away costs its data, never a run; an address that is none is warned of.
 */
export const layerTelemetry: Layer.Layer<never> = Layer.unwrap(
  Effect.gen(function* (): Effect.fn.Return<Layer.Layer<never>> {
    const endpoint = yield* Config.option(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT")).pipe(Effect.orDie)
    if (Option.isNone(endpoint) || endpoint.value === "") return Layer.empty
    if (!/^https?:\/\//.test(endpoint.value) || !URL.canParse(endpoint.value)) {
      yield* Effect.logWarning(
        "Nothing is exported: OTEL_EXPORTER_OTLP_ENDPOINT is no http or https address."
      )
      return Layer.empty
    }
    const { layerOtlp } = yield* Effect.promise(() => import("./layerOtlp.ts"))
    return layerOtlp
  })
)
