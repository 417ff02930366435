/**
 * The last keys that came with a request, and what was answered.
 *
 * @module
 */
import type { FrameKey } from "./frame.ts"

export class RememberedKeys {
  private readonly answers = new Map<string, { readonly request: string; readonly ordinal: number }>()
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  /** What the first request with this key was, and the place behind its records. */
  find(key: string): { readonly request: string; readonly ordinal: number } | undefined {
    return this.answers.get(key)
  }

  remember({ key, request }: FrameKey, ordinal: number): void {
    this.answers.set(key, { request, ordinal })
    if (this.answers.size > this.most) this.answers.delete(this.answers.keys().next().value!)
  }

  /** All of them, the oldest first. */
  entries(): ReadonlyArray<readonly [key: string, request: string, ordinal: number]> {
    return [...this.answers].map(([key, { ordinal, request }]) => [key, request, ordinal] as const)
  }

  restore(entries: ReadonlyArray<readonly [key: string, request: string, ordinal: number]>): void {
    for (const [key, request, ordinal] of entries) this.remember({ key, request }, ordinal)
  }
}
