/**
 * A refusal as an HTTP response, outside any operation.
 *
 * @module
 */
import { HttpServerResponse } from "effect/http"
import { type Failure, statusOf } from "../api/failures.ts"

/** `{ message, error_code, details }` with the status of its code. */
export const answerFailure = (
  failure: Failure,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(failure, { status: statusOf(failure.error_code), headers })
