/**
 * What may be asked of a path, for those who asked it in the wrong way.
 *
 * @module
 */
import { HttpApi, type HttpApiGroup } from "effect/http-api"
import { nearest } from "../../events/nearest.ts"
import { type Failure, failed } from "../api/failures.ts"

interface Pattern {
  readonly method: string
  readonly path: string
  readonly matches: RegExp
}

export interface Paths {
  /** Refuses a method and a path that no operation has: 405 where the path has others, else 404. */
  readonly refuse: (method: string, url: string) => { readonly failure: Failure; readonly allow?: string }
}

/** Those of a contract, with its document and its page. */
export const operationPaths = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): Paths => {
  const patterns: Array<Pattern> = [patternOf("GET", "/openapi.json"), patternOf("GET", "/docs")]
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      patterns.push(patternOf(endpoint.method, endpoint.path))
    }
  })
  return { refuse: (method, url) => refusePath(patterns, method, url) }
}

const refusePath = (patterns: ReadonlyArray<Pattern>, method: string, url: string) => {
  const path = url.split("?", 1)[0] ?? url
  const allowed = allowedMethods(patterns, path)
  if (allowed.length > 0) {
    const allow = allowed.join(", ")
    const suggestion = `use ${allow}`
    return {
      failure: failed("MethodNotAllowed", `${method} is not for ${shown(path)}`, { suggestion }),
      allow
    }
  }
  const action = method === "POST" ? /^\/v0\/pipelines\/[^/]+\/([^/]+)$/.exec(path)?.[1] : undefined
  if (action !== undefined) return { failure: unknownAction(patterns, action) }
  const meant = nearest(path, new Set(patterns.map(({ path }) => path)))
  const suggestion =
    meant === undefined ? "/openapi.json and /docs say what there is" : `did you mean ${meant}?`
  return { failure: failed("UnknownPath", `There is nothing at ${shown(path)}`, { suggestion }) }
}

/** The methods that operations have on this path. */
const allowedMethods = (patterns: ReadonlyArray<Pattern>, path: string): ReadonlyArray<string> => {
  const methods = patterns.filter(({ matches }) => matches.test(path)).map(({ method }) => method)
  return methods.includes("GET") ? ["HEAD", ...methods].sort() : methods.sort()
}

const unknownAction = (patterns: ReadonlyArray<Pattern>, action: string): Failure => {
  const known = patterns.flatMap(({ method, path }) => {
    const found = method === "POST" ? /^\/v0\/pipelines\/:name\/([^/]+)$/.exec(path)?.[1] : undefined
    return found === undefined ? [] : [found]
  })
  const message = `Invalid pipeline action '${shown(action)}'; valid actions are: ${known.join(", ")}`
  const suggestion = nearest(action, known)
  const details = { action: shown(action), ...(suggestion === undefined ? {} : { suggestion }) }
  return failed("InvalidPipelineAction", message, details)
}

const shown = (path: string): string => (path.length > 200 ? `${path.slice(0, 200)}…` : path)

const patternOf = (method: string, path: string): Pattern => ({
  method,
  path,
  matches: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+")}/?$`)
})
