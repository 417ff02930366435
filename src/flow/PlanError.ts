/**
 * Why a definition cannot be run as it is.
 *
 * @module
 */
import { Schema } from "effect"
import { Finding } from "../../events/Finding.ts"

/** Every reason at once. */
export class PlanError extends Schema.TaggedError<PlanError>()("PlanError", {
  findings: Schema.Array(Finding)
}) {
  override get message(): string {
    return this.findings.map((finding) => `${finding.code} ${finding.pointer}: ${finding.message}`).join("; ")
  }
}

export const broken = (...findings: ReadonlyArray<Finding>): PlanError => new PlanError({ findings })
