/**
 * The shapes most expressions have, run as plain functions: fields of the record, literals, arithmetic,
 * comparisons and logic between them. The evaluator walks its tree and looks types up for every record,
 * which takes several times as long.
 *
 * Only the plain cases are answered here: numbers with numbers, texts joined with texts. Whatever else
 * turns up in a record is `unsure`, and the evaluator decides; so there is one meaning, and its messages.
 *
 * @module
 */
import type { ASTNode } from "@marcbachmann/cel-js"

/** Not a plain case: ask the evaluator. */
export const unsure: unique symbol = Symbol("unsure")

/** A text, number, boolean, null, or `unsure`. */
export type Direct = (record: unknown) => unknown

/** `undefined` when the expression has another shape. The tree must have been hardened. */
export const compileDirect = (node: ASTNode): Direct | undefined => {
  switch (node.op) {
    case "value":
      return literal(node.args)
    case ".":
      return field(node.args[0], node.args[1])
    case "!_": {
      const run = compileDirect(node.args)
      return run && ((record) => negated(run(record)))
    }
    case "&&":
    case "||":
      return logic(node.op === "||", node.args[0], node.args[1])
    default: {
      const compute = Object.hasOwn(operators, node.op) ? operators[node.op] : undefined
      return compute && binary(compute, node.args as readonly [ASTNode, ASTNode])
    }
  }
}

type Operator = (left: unknown, right: unknown) => unknown

const numeric =
  (compute: (left: number, right: number) => unknown): Operator =>
  (left, right) =>
    typeof left === "number" && typeof right === "number" ? compute(left, right) : unsure

const equality =
  (same: boolean): Operator =>
  (left, right) =>
    left !== unsure && typeof left === typeof right && left !== null && right !== null
      ? (left === right) === same
      : unsure

const plus = numeric((left, right) => left + right)

const operators: Readonly<Record<string, Operator>> = {
  "+": (left, right) =>
    typeof left === "string" && typeof right === "string" ? left + right : plus(left, right),
  "-": numeric((left, right) => left - right),
  "*": numeric((left, right) => left * right),
  "/": numeric((left, right) => left / right),
  "<": numeric((left, right) => left < right),
  "<=": numeric((left, right) => left <= right),
  ">": numeric((left, right) => left > right),
  ">=": numeric((left, right) => left >= right),
  "==": equality(true),
  "!=": equality(false)
}

/** Two literals are left to the evaluator, in which `7 / 2` is 3: beside a field every number is a double. */
const binary = (compute: Operator, [left, right]: readonly [ASTNode, ASTNode]): Direct | undefined => {
  if (left.op === "value" && right.op === "value") return undefined
  const [runLeft, runRight] = [compileDirect(left), compileDirect(right)]
  if (runLeft === undefined || runRight === undefined) return undefined
  return (record) => compute(runLeft(record), runRight(record))
}

/** `decides` is the answer that needs no second operand. */
const logic = (decides: boolean, left: ASTNode, right: ASTNode): Direct | undefined => {
  const [runLeft, runRight] = [compileDirect(left), compileDirect(right)]
  if (runLeft === undefined || runRight === undefined) return undefined
  return (record) => {
    const first = runLeft(record)
    if (first === decides) return first
    if (first !== !decides) return unsure
    const second = runRight(record)
    return typeof second === "boolean" ? second : unsure
  }
}

const negated = (value: unknown): unknown => (typeof value === "boolean" ? !value : unsure)

const literal = (value: unknown): Direct | undefined => {
  const plain = typeof value === "bigint" ? Number(value) : value
  if (typeof plain === "number" && typeof value === "bigint" && !Number.isSafeInteger(plain)) return undefined
  return isPlain(plain) ? () => plain : undefined
}

/** A field of the record, or of an object in it. */
const field = (of: ASTNode, name: string): Direct | undefined => {
  const path: Array<string> = [name]
  let node = of
  for (; node.op === "."; node = node.args[0]) path.unshift(node.args[1])
  if (node.op !== "id" || node.args !== "record") return undefined
  return (record) => {
    let value = record
    for (const each of path) {
      if (typeof value !== "object" || value === null) return unsure
      if (Object.getPrototypeOf(value) !== Object.prototype) return unsure
      value = (value as Readonly<Record<string, unknown>>)[each]
    }
    // What every object inherits is a function or an object, and so is not taken for a field.
    return isPlain(value) ? value : unsure
  }
}

const isPlain = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null
