/**
 * The part of the contract that has handlers: by now all of it.
 *
 * @module
 */

import { HttpApi } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { deadLetters } from "../api/deadLetters.ts"
import { drivers } from "../api/drivers.ts"
import { history } from "../api/history.ts"
import { ingress } from "../api/ingress.ts"
import { lifecycle } from "../api/lifecycle.ts"
import { pipelines } from "../api/pipelines.ts"
import { service } from "../api/service.ts"

/** It grows into `Api` with every group that gets its handlers in `handlers.ts`. */
export const served = HttpApi.make(Api.identifier)
  .add(pipelines, lifecycle, history, deadLetters, ingress, drivers, service)
  .annotateMerge(Api.annotations)
