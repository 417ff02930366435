/**
 * One part of the benchmarks, in a process of its own: told by its parent what to run, it answers with its
 * section.
 *
 * @module
 */

// As the command line does, before any schema is made.
import "effect/schema/SchemaJITCompiler/enable"
import type { Given, Part } from "./Part.ts"

// So that it takes the processes it has started with it.
process.once("SIGTERM", () => process.exit(143))
process.once("message", async ({ given, name }: { readonly name: string; readonly given: Given }) => {
  const part = ((await import(`./${name}/part.ts`)) as { readonly default: Part }).default
  const section = await part.run(given)
  process.send!({ title: part.title, section }, () => process.exit(0))
})
