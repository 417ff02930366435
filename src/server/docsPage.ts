/**
 * An OpenAPI document as one HTML page: what can be asked, with what, and what comes back.
 *
 * @module
 */
import type { OpenApi } from "effect/http-api"
import { type Operation, requiredScope } from "../api/scopes.ts"

type Spec = OpenApi.OpenAPISpec
type SpecOperation = OpenApi.OpenAPISpecOperation

/** The page; the same document gives the same text. */
export const docsPage = (spec: Spec): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(spec.info.title)}</title><style>${style}</style></head><body>
<h1>${escaped(spec.info.title)}</h1><p>${prose(spec.info.description)}</p>
<p>The same for programs: <a href="/openapi.json">/openapi.json</a>, OpenAPI ${escaped(spec.openapi)}.</p>
<nav>${spec.tags.map(({ name }) => `<a href="#${escaped(name)}">${escaped(name)}</a>`).join(" ")}</nav>
${spec.tags.map((tag) => group(spec, tag)).join("\n")}
<h2 id="schemas">Schemas</h2>${schemas(spec)}
</body></html>
`

const group = (spec: Spec, { description, name }: Spec["tags"][number]): string =>
  `<h2 id="${escaped(name)}">${escaped(name)}</h2><p>${prose(description)}</p>
${operationsOf(spec)
  .filter(({ operation }) => operation.tags.includes(name))
  .map(section)
  .join("\n")}`

interface Placed {
  readonly method: string
  readonly path: string
  readonly operation: SpecOperation
}

const operationsOf = (spec: Spec): ReadonlyArray<Placed> =>
  Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation: operation as SpecOperation
    }))
  )

const section = ({ method, operation, path }: Placed): string => {
  const id = operation.operationId.split(".").at(-1) ?? ""
  const scope = Object.hasOwn(requiredScope, id) ? requiredScope[id as Operation] : "admin"
  return `<section id="${escaped(id)}"><h3><b>${method}</b> <code>${escaped(path)}</code> <i>${scope}</i></h3>
<p><strong>${escaped(operation.summary ?? "")}.</strong> ${prose(operation.description)}</p>
${parameters(operation)}${body("Body", operation.requestBody?.content)}
${Object.entries(operation.responses).map(answer).join("\n")}</section>`
}

const parameters = ({ parameters }: SpecOperation): string =>
  parameters.length === 0
    ? ""
    : `<ul>${parameters
        .map(
          (of) =>
            `<li><code>${escaped(of.name)}</code> in the ${of.in}${of.required ? "" : ", optional"}: ${typeOf(of.schema)}</li>`
        )
        .join("")}</ul>`

const answer = ([status, { content }]: [string, { readonly content?: unknown }]): string =>
  status.startsWith("2")
    ? `<p>${status}</p>${body("Answer", content)}`
    : `<details><summary>${status}</summary>${body("Answer", content)}</details>`

type Media = Readonly<Record<string, { readonly schema: unknown; readonly example?: unknown }>>

const body = (title: string, content: unknown): string =>
  Object.entries((content ?? {}) as Media)
    .map(
      ([type, { example, schema }]) =>
        `<p>${title}: <code>${escaped(type)}</code> ${typeOf(schema)}</p>${example === undefined ? "" : pre(example)}`
    )
    .join("")

const schemas = (spec: Spec): string =>
  Object.entries(spec.components.schemas)
    .map(
      ([name, schema]) =>
        `<details id="schema-${escaped(name)}"><summary>${escaped(name)}</summary>${pre(schema)}</details>`
    )
    .join("\n")

const typeOf = (schema: unknown): string => {
  const { $ref, anyOf, enum: options, items, type } = (schema ?? {}) as Readonly<Record<string, unknown>>
  if (typeof $ref === "string") {
    const name = $ref.split("/").at(-1) ?? ""
    return `<a href="#schema-${escaped(name)}">${escaped(name)}</a>`
  }
  if (Array.isArray(anyOf)) return anyOf.map(typeOf).join(" or ")
  if (Array.isArray(options))
    return options.map((option) => `<code>${escaped(JSON.stringify(option))}</code>`).join(" or ")
  return type === "array" ? `list of ${typeOf(items)}` : escaped(typeof type === "string" ? type : "JSON")
}

const pre = (value: unknown): string =>
  `<pre>${escaped(typeof value === "string" ? value : JSON.stringify(value, null, 2))}</pre>`

/** Words between backticks are code. */
const prose = (text: string | undefined): string =>
  escaped(text ?? "").replaceAll(/`([^`]*)`/g, "<code>$1</code>")

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:4px}
section{border-top:1px solid #8886;margin-top:1.5rem}h3 i{font-weight:normal;opacity:.7}nav a{margin-right:.75rem}`
