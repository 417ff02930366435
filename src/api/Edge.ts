/**
 * What any request may be answered with before its operation is reached.
 *
 * @module
 */
import { HttpApiMiddleware } from "effect/http-api"
import {
  Failure400,
  Failure408,
  Failure413,
  Failure415,
  Failure429,
  Failure500,
  Failure503
} from "./failures.ts"

/**
 * Stands inside of `Authorization`: nobody's body is read before it is known who sent it. Turns what does not fit the contract into a 400 with a pointer and a suggestion; declares the
 * other refusals.
 */
export class Edge extends HttpApiMiddleware.Service<Edge>()("millrace/api/Edge", {
  error: [Failure400, Failure408, Failure413, Failure415, Failure429, Failure500, Failure503]
}) {}
