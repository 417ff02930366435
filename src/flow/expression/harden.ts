/**
 * A walk over a parsed expression: it closes the ways to a prototype, puts the linear-time `matches` in
 * place, and notes what the expression refers to.
 *
 * @module
 */
import type { ASTNode } from "@marcbachmann/cel-js"
import { inner, isForbiddenKey, runtime, safeKey } from "./celEnvironment.ts"
import { pattern } from "./pattern.ts"

/** A top-level field of the record, and where the expression names it. */
export interface FieldReference {
  readonly field: string
  readonly offset: number
  /** Inside `has(…)`, where naming an absent field is the point. */
  readonly asked: boolean
}

export interface Complaint {
  readonly message: string
  readonly offset: number
  readonly suggestion?: string
}

/** What the walk found. */
export interface Hardened {
  readonly variables: ReadonlySet<string>
  readonly fields: ReadonlyArray<FieldReference>
  /** Top-level fields without which the expression cannot have a value, whatever the rest of the record holds. */
  readonly required: ReadonlySet<string>
  readonly complaints: ReadonlyArray<Complaint>
}

export interface HardenOptions {
  /** Lets the two branches of `? :` have different types. */
  readonly looseBranches: boolean
}

/** Comprehensions inside comprehensions multiply their work; three levels are plenty. */
const comprehensionDepth = 3
const comprehensions = new Set(["all", "exists", "exists_one", "map", "filter", "bind"])

interface Walk extends HardenOptions {
  readonly variables: Set<string>
  readonly fields: Array<FieldReference>
  readonly required: Set<string>
  readonly complaints: Array<Complaint>
}

/**
 * Where the walk is: inside how many comprehensions, inside `has`, on a path whose failure is always the
 * failure of the whole (`strict`), and still among the `&&` of the top, where a failure and a false are one.
 */
interface Place {
  readonly depth: number
  readonly asked: boolean
  readonly strict: boolean
  readonly top: boolean
}

/** Changes the tree in place; macros of the parser share its nodes, so they see the change too. */
export const harden = (ast: ASTNode, options: HardenOptions): Hardened => {
  const walk: Walk = { ...options, variables: new Set(), fields: [], required: new Set(), complaints: [] }
  visit(ast, walk, { depth: 0, asked: false, strict: true, top: true })
  return walk
}

const visit = (node: ASTNode, walk: Walk, place: Place): void => {
  const inside = { ...place, top: false }
  switch (node.op) {
    case "value":
      return
    case "id":
      walk.variables.add(node.args)
      return
    case ".":
      noteField(node.args[0], node.args[1], node.pos, walk, place)
      visit(node.args[0], walk, inside)
      node.args[1] = safeKey(node.args[1])
      return
    case "[]":
      visitIndex(node.args, walk, inside)
      break
    case "call":
      visitCall(node.args, walk, inside)
      break
    case "rcall":
      visitMethod(node, node.args, walk, inside)
      break
    case "map":
      visitMap(node.args, walk, inside)
      break
    case "?:":
      visitBranches(node.args, walk, inside)
      break
    case "!_":
    case "-_":
      visit(node.args, walk, inside)
      break
    case "&&":
      visitAll(node.args, walk, place.top ? place : { ...inside, strict: false })
      break
    case "||":
      visitAll(node.args, walk, { ...inside, strict: false })
      break
    default:
      visitAll(node.args as ReadonlyArray<ASTNode>, walk, inside)
      break
  }
}

const visitAll = (nodes: ReadonlyArray<ASTNode>, walk: Walk, place: Place): void => {
  for (const node of nodes) visit(node, walk, place)
}

const visitMap = (entries: ReadonlyArray<[ASTNode, ASTNode]>, walk: Walk, place: Place): void => {
  for (const entry of entries) {
    const [key] = entry
    if (key.op === "value" && isForbiddenKey(key.args)) {
      walk.complaints.push({ message: `The key ${key.args} is refused`, offset: key.pos })
    }
    visitAll(entry, walk, place)
  }
}

const visitBranches = (args: [ASTNode, ASTNode, ASTNode], walk: Walk, place: Place): void => {
  visit(args[0], walk, place)
  visitAll(args.slice(1), walk, { ...place, strict: false })
  if (!walk.looseBranches) return
  args[1] = around("dyn", args[1])
  args[2] = around("dyn", args[2])
}

const noteField = (of: ASTNode, field: string, offset: number, walk: Walk, place: Place): void => {
  if (of.op === "id" && of.args === "record" && !isForbiddenKey(field)) {
    walk.fields.push({ field, offset, asked: place.asked })
    if (place.strict && !place.asked) walk.required.add(field)
  }
}

const visitIndex = (args: [ASTNode, ASTNode], walk: Walk, place: Place): void => {
  const [of, index] = args
  visit(of, walk, place)
  if (index.op !== "value") {
    visit(index, walk, place)
    // What a record or an expression computes as a key goes through the same gate as a written one.
    args[1] = around(inner.key, index)
  } else if (typeof index.args === "string") {
    noteField(of, index.args, index.pos, walk, place)
    if (isForbiddenKey(index.args)) args[1] = around(inner.key, index)
  }
}

const visitCall = (args: [string, Array<ASTNode>], walk: Walk, place: Place): void => {
  const [name, parameters] = args
  visitAll(parameters, walk, { ...place, asked: name === "has" })
  if (name === "duration" && parameters.length === 1) parameters[0] = around(inner.short, parameters[0]!)
}

const visitMethod = (
  node: ASTNode,
  args: [string, ASTNode, Array<ASTNode>],
  walk: Walk,
  place: Place
): void => {
  const [name, receiver, parameters] = args
  const comprehension = comprehensions.has(name) && parameters.length > 1
  const below = comprehension ? { ...place, depth: place.depth + 1, strict: false } : place
  if (below.depth > comprehensionDepth) {
    walk.complaints.push({
      message: `More than ${comprehensionDepth} of all, exists, map, filter, bind inside each other`,
      offset: node.pos
    })
    return
  }
  visit(receiver, walk, place)
  visitAll(parameters, walk, below)
  if (name !== "matches" || parameters.length !== 1) return
  args[0] = inner.matches
  const [source] = parameters
  if (source?.op === "value" && typeof source.args === "string") checkPattern(source.args, source.pos, walk)
}

const checkPattern = (source: string, offset: number, walk: Walk): void => {
  try {
    pattern(source)
  } catch (error) {
    walk.complaints.push({
      message: `Not a pattern: ${error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : source}`,
      offset,
      suggestion: "Patterns are RE2: no look-around, no back-references"
    })
  }
}

/** `name(node)`, made by parsing a call and exchanging its parameter. */
const around = (name: string, node: ASTNode): ASTNode => {
  const call = runtime.parse(`${name}(0)`).ast
  if (call.op === "call") call.args[1][0] = node
  return call
}
