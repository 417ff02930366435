/**
 * What people write who know another language better than CEL.
 *
 * @module
 */

import { own } from "../../../projections/own.ts"

export interface Slip {
  readonly message: string
  readonly suggestion?: string
}

/** Why the parser stopped at `offset` of the text, in other words than its own `summary`. */
export const slipOfSyntax = (text: string, offset: number, summary: string): Slip => {
  const operator = operators.find(({ found }) => spans(text, offset, found))
  if (operator !== undefined) {
    const { found, meant } = operator
    return { message: `${found} is no operator here`, suggestion: meant }
  }
  const [word] = /^(?:and|or|not)\b/i.exec(text.slice(offset)) ?? []
  if (word !== undefined) {
    return { message: `${word} is no operator here`, suggestion: words[word.toLowerCase()]! }
  }
  const [, wanted] = /^Expected ([A-Z]+),/.exec(summary) ?? []
  const sign = signs[wanted ?? ""]
  if (sign !== undefined) return { message: `A ${sign} is missing` }
  if (offset >= text.trimEnd().length && summary.endsWith("EOF")) {
    return { message: "The expression ends too early: something is missing behind its last sign" }
  }
  return { message: summary.replace(/^Unexpected token: ([A-Z]+)$/, (_, name) => unexpected(name)) }
}

/** What somebody means with a name that is none here, when it is not a field of the record. */
export const slipOfName = (text: string, start: number, end: number): Slip | undefined => {
  const name = text.slice(start, end)
  const value = own(values, name.toLowerCase())
  if (value !== undefined) return { message: `${name} is not known here`, suggestion: value }
  const [call] = /^\s*\.\s*\w+(?=\s*\()/.exec(text.slice(end)) ?? []
  if (call !== undefined) {
    return {
      message: `There is no function ${name}${call.replaceAll(/\s/g, "")}: functions have no module before them`
    }
  }
  const [, field] = /\brecord\.(\w+)-$/.exec(text.slice(0, start)) ?? []
  return field === undefined
    ? undefined
    : {
        message: `${name} is not known here: record.${field}-${name} takes one from the other`,
        suggestion: `record["${field}-${name}"] for the field of that name, record.${field} - record.${name} for the difference`
      }
}

const operators = [
  { found: "===", meant: "==" },
  { found: "!==", meant: "!=" },
  { found: "<>", meant: "!=" },
  { found: "?.", meant: "has(record.a) && record.a.b" },
  { found: "=", meant: "==" }
] as const

/** The parser stops in the middle of an operator that it takes for the beginning of another one. */
const spans = (text: string, offset: number, operator: string): boolean =>
  [...operator].some((_, before) => text.startsWith(operator, offset - before) && offset >= before)

const words: Readonly<Record<string, string>> = { and: "&&", or: "||", not: "!" }

const values: Readonly<Record<string, string>> = {
  undefined: "null",
  none: "null",
  nil: "null",
  nul: "null",
  true: "true",
  false: "false"
}

const signs: Readonly<Record<string, string>> = {
  LPAREN: "(",
  RPAREN: ")",
  LBRACKET: "[",
  RBRACKET: "]",
  LBRACE: "{",
  RBRACE: "}",
  COLON: ":",
  COMMA: ",",
  DOT: ".",
  QUESTION: "?",
  GT: ">",
  LT: "<",
  PLUS: "+",
  MULTIPLY: "*",
  DIVIDE: "/",
  MODULO: "%"
}

const unexpected = (name: string): string => `${signs[name] ?? name.toLowerCase()} cannot stand here`
