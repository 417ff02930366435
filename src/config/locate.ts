/**
 * From a JSON pointer to the line and column a person should look at.
 *
 * @module
 */
import { isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from "yaml"

export interface Place {
  readonly line: number
  readonly column: number
}

/** `key` asks for the key itself rather than its value. */
export type Locate = (pointer: string, key?: "first" | "last" | undefined) => Place

/**
 * The place of the deepest part of the pointer that exists. A value on the key's line is pointed at
 * itself; for one that is missing, or that begins a block of its own, the key above it is.
 */
export const locator =
  (root: Node | null, lines: LineCounter): Locate =>
  (pointer, key) => {
    const path = pointer
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    let node: Node | null = root
    let keyAt = startOf(root)
    let found = true
    for (const [index, part] of path.entries()) {
      const step = into(node, part, index === path.length - 1 && key === "last")
      if (step === undefined) {
        found = false
        break
      }
      node = step.value
      keyAt = step.key ?? startOf(step.value)
    }
    const offset = found && key === undefined && !isBlock(node) ? (startOf(node) ?? keyAt) : keyAt
    const { line, col } = lines.linePos(offset ?? 0)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

interface Step {
  readonly value: Node | null
  readonly key: number | undefined
}

const into = (node: Node | null, part: string, last: boolean): Step | undefined => {
  if (isMap(node)) {
    const pairs = node.items as ReadonlyArray<Pair<unknown, Node | null>>
    const named = (pair: Pair<unknown, Node | null>) => isScalar(pair.key) && String(pair.key.value) === part
    const pair = last ? pairs.findLast(named) : pairs.find(named)
    return pair && { value: pair.value, key: startOf(pair.key as Node) }
  }
  if (isSeq(node)) {
    const item = (node.items as ReadonlyArray<Node | null>)[Number(part)]
    return item === undefined ? undefined : { value: item, key: undefined }
  }
  return undefined
}

const startOf = (node: Node | null | undefined): number | undefined => node?.range?.[0]

const isBlock = (node: Node | null): boolean =>
  node === null ||
  ((isMap(node) || isSeq(node)) && node.flow !== true) ||
  (isScalar(node) && node.value === null)
