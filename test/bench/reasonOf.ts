/**
 * Why something could not be measured, fit for a page that goes to other machines: the whole of it goes to
 * standard error, the page gets its first line without any path.
 *
 * @module
 */
export const reasonOf = (error: unknown): string => {
  console.error(error)
  const message = error instanceof Error ? error.message : String(error)
  return message.split("\n")[0]!.replace(/(?:file:\/\/|(?<![\w.]))\/[^\s'"]+/g, "…")
}
