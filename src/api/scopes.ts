/**
 * Who may do what: three scopes, each including the ones before it, and the scope of every operation.
 *
 * @module
 */
import { Schema } from "effect"

/** Look; run what is there; change what is there. */
export const Scope = Schema.Literals(["read", "operate", "admin"])
export type Scope = typeof Scope.Type

/** The scope an operation asks for, by its name in the contract. `public` asks for no token at all. */
export const requiredScope = {
  listPipelines: "read",
  createPipeline: "admin",
  getPipeline: "read",
  putPipeline: "admin",
  patchPipeline: "admin",
  deletePipeline: "admin",
  startPipeline: "operate",
  pausePipeline: "operate",
  shutdownPipeline: "operate",
  triggerRun: "operate",
  checkpointPipeline: "operate",
  replayPipeline: "operate",
  getStats: "read",
  getEvents: "read",
  // Counts and letters are for whoever looks after a pipeline; every record of it is not.
  tailPipeline: "operate",
  getState: "read",
  getDiff: "read",
  getWhy: "read",
  getRuns: "read",
  getCheckpoints: "read",
  getSchedule: "read",
  listDeadLetters: "read",
  getDeadLetter: "read",
  redriveDeadLetters: "operate",
  getRedrive: "read",
  discardDeadLetters: "operate",
  withdrawRedrives: "operate",
  pushRecords: "operate",
  getCompletionStatus: "read",
  listDrivers: "read",
  getMetrics: "read",
  getHealth: "public",
  getReadiness: "public"
} as const satisfies Readonly<Record<string, Scope | "public">>

/** The operations of the contract. */
export type Operation = keyof typeof requiredScope

/** Does a token of this scope reach as far as the operation asks? An unknown operation asks for everything. */
export const mayCall = (scope: Scope, operation: string): boolean => {
  const required = Object.hasOwn(requiredScope, operation)
    ? requiredScope[operation as Operation]
    : ("admin" as const)
  return required === "public" || Scope.literals.indexOf(scope) >= Scope.literals.indexOf(required)
}
