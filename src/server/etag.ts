/**
 * The version of a definition as an ETag, and whether somebody's `If-Match` still holds.
 *
 * @module
 */
import { Effect } from "effect"
import { HttpEffect, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { type Failure, failed } from "../api/failures.ts"

/** Has the answer to the present request carry the version as its ETag. */
export const withEtag = (version: number): Effect.Effect<void, never, HttpServerRequest.HttpServerRequest> =>
  HttpEffect.appendPreResponseHandler((_, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, "etag", `"${version}"`))
  )

/**
 * Why a change is refused, `undefined` when it is not. `version` is the present one, `undefined` when there
 * is no such pipeline. RFC 9110, 13.1.1: `*` asks for any version, and weak tags never match.
 */
export const refuseStale = (
  ifMatch: string | undefined,
  version: number | undefined
): Failure<"VersionMismatch"> | undefined => {
  if (ifMatch === undefined) return undefined
  const wanted = ifMatch.split(",").map((tag) => tag.trim())
  if (version !== undefined && (wanted.includes("*") || wanted.includes(`"${version}"`))) return undefined
  const message =
    version === undefined
      ? "There is no such pipeline to be changed"
      : `The pipeline is at version ${version} by now, not ${ifMatch}`
  const details = version === undefined ? {} : { version }
  return failed("VersionMismatch", message, { ...details, suggestion: "read it again, then decide" })
}
