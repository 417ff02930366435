/**
 * `${VAR}` in the texts of a pipeline file.
 *
 * Replaced after parsing and only inside string values, so a variable can change a text but never the
 * shape of the file; and only once, so what a variable holds is not looked through again.
 *
 * @module
 */

export type Environment = ReadonlyMap<string, string> | { readonly [name: string]: string | undefined }

export interface Complaint {
  readonly code: "unset_variable" | "secret_as_text"
  readonly message: string
  readonly suggestion: string
}

/** `$${` is a written `${`; anything else that is not one of the three forms stays as it is. */
const reference = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([^}]*))?\}/g

/**
 * The text with its variables filled in: `${VAR}`, `${VAR:-default}` (also for an empty VAR), and
 * `${VAR:?message}`, which complains with that message.
 */
export const substitute = (
  text: string,
  environment: Environment,
  complain: (complaint: Complaint) => void
): string => {
  if (!text.includes("${")) return text
  return text.replace(reference, (whole, name?: string, form?: string, rest = "") => {
    if (name === undefined) return "${"
    const value = lookUp(environment, name)
    if (secretive.test(name)) complain(secretAsText(name))
    if (value !== undefined && (value !== "" || form === undefined)) return value
    if (form === "-") return rest
    complain({
      code: "unset_variable",
      message: form === "?" && rest !== "" ? `${name}: ${rest}` : `The variable ${name} is not set`,
      suggestion: `Set ${name}, or write \${${name}:-default}`
    })
    return whole
  })
}

const lookUp = (environment: Environment, name: string): string | undefined => {
  if (environment instanceof Map) return environment.get(name)
  const record = environment as { readonly [name: string]: string | undefined }
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** Names that speak of a secret: what they hold would end up in the log with the definition. */
export const secretive = /passw|secret|token|api_?key|private_?key|credential/i

const secretAsText = (name: string): Complaint => ({
  code: "secret_as_text",
  message: `The value of ${name} would be stored with the definition, readable for everyone who may see it`,
  suggestion: `{ secret: ${name} }`
})
