/**
 * The contract as a page to read, at `/docs`. It loads nothing: no script, no font, no other host.
 *
 * @module
 */
import { Effect, type Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { type HttpApi, type HttpApiGroup, OpenApi } from "effect/http-api"
import { docsPage } from "./docsPage.ts"

export const layerDocs = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): Layer.Layer<never, never, HttpRouter.HttpRouter> =>
  HttpRouter.use((router) => {
    let page: string | undefined
    const response = Effect.sync(() => {
      page ??= docsPage(OpenApi.fromApi(api))
      return HttpServerResponse.html(page).pipe(
        HttpServerResponse.setHeaders({
          "content-security-policy":
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        })
      )
    })
    return router.add("GET", "/docs", response)
  })
