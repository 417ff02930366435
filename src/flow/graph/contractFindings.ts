/**
 * What is wrong with a contract, and where records do not fit one.
 *
 * @module
 */
import { type Finding, finding } from "../../../events/Finding.ts"
import type { ContractError } from "../contract/Contract.ts"
import type { Violation } from "../contract/jsonSchema.ts"

type Path = ReadonlyArray<string | number>

/** `at` is where the contract stands. */
export const badContract = (at: Path, { message, path, suggestion }: ContractError): Finding =>
  within(finding("bad_contract", at, message, suggestion), path)

export const mismatch = (at: Path, { message, path }: Violation): Finding =>
  within(finding("contract_mismatch", at, message), path)

const within = (found: Finding, path: string): Finding => ({ ...found, pointer: `${found.pointer}${path}` })
