/**
 * The exporters of OpenTelemetry, in JSON over this process's `fetch`.
 *
 * @module
 */
import { ConfigProvider, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp, OtlpSerialization } from "effect/observability"

/** What the specification says of a variable that is not set, and who we are. */
const defaults = ConfigProvider.fromUnknown({
  OTEL_METRICS_EXPORTER: "otlp",
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_LOGS_EXPORTER: "otlp",
  OTEL_SERVICE_NAME: "millrace"
})

/** Metrics, spans and log lines, each to its path below `OTEL_EXPORTER_OTLP_ENDPOINT`. */
export const layerOtlp: Layer.Layer<never> = Otlp.layerFromConfig().pipe(
  Layer.provide([FetchHttpClient.layer, OtlpSerialization.layerJson]),
  Layer.provide(ConfigProvider.layerAdd(defaults))
)
