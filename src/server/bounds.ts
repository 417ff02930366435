/**
 * The bounds of the service, each with the error that is answered beyond it.
 *
 * @module
 */
import { ingressBytesMost } from "../api/ingress.ts"

export interface Bounds {
  /** Bytes of a body: `PayloadTooLarge`. */
  readonly bodyBytes: number
  /** Bytes of a body of records: `PayloadTooLarge`. */
  readonly ingressBytes: number
  /** Milliseconds a client has for its headers: `RequestTimeout`. */
  readonly headersMs: number
  /** Milliseconds a client has for its request (`RequestTimeout`), and the service for its answer (`DeadlineExceeded`). */
  readonly requestMs: number
  /** Connections at once: `TooManyConnections`. */
  readonly connections: number
  /** Requests a second of one token, or of one address without a token, in the long run: `RateLimitExceeded`. */
  readonly requestsPerSecond: number
  /** Requests at once, after a pause. */
  readonly requestBurst: number
  /** Milliseconds that open answers are waited for when the service ends. */
  readonly drainMs: number
}

export const defaultBounds: Bounds = {
  bodyBytes: 1024 * 1024,
  ingressBytes: ingressBytesMost,
  headersMs: 10_000,
  requestMs: 30_000,
  connections: 1000,
  requestsPerSecond: 200,
  requestBurst: 1000,
  drainMs: 2000
}
