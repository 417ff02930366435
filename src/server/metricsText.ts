/**
 * The answer of `GET /metrics`: every series of this process in Prometheus' text format.
 *
 * @module
 */
import { Effect } from "effect"
import { PrometheusMetrics } from "effect/observability"

/**
 * As of now, for the registry of the fiber that asks. The media type is
 * `text/plain; version=0.0.4; charset=utf-8`; the help texts are those of the metric table.
 */
export const metricsText: Effect.Effect<string> = Effect.suspend(() => PrometheusMetrics.format())
