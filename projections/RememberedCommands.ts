/**
 * Which commands a stream has seen, by the keys their senders gave them: the durable half of answering the
 * same `Idempotency-Key` only once.
 *
 * A command that was sent with a key has an id made of the key and of what was asked, and every event that
 * it caused carries this id as its `correlationId`. So the log itself knows: after a restart this fold over
 * a stream tells what came of a command, and no second store can disagree with it.
 *
 * @module
 */
import type { StoredEvent } from "../events/StoredEvent.ts"

/** What came of a command: the versions of its first and its last event. */
export interface RememberedCommand {
  /** What stands for the key and its sender. */
  readonly key: string
  /** What stands for the request: the same key with another request is a mistake. */
  readonly request: string
  readonly first: number
  readonly last: number
}

/** Oldest first. */
export type RememberedCommands = ReadonlyArray<RememberedCommand>

/** Commands of one stream that are remembered. */
export const commandsMost = 1000

export const initial: RememberedCommands = []

/** The id of a command that was sent with a key; both parts are hexadecimal. */
export const commandId = (key: string, request: string): string => `key/${key}/${request}`

export const evolve = (
  commands: RememberedCommands,
  { correlationId, version }: Pick<StoredEvent, "correlationId" | "version">
): RememberedCommands => {
  const [, key, request] = /^key\/([0-9a-f]+)\/([0-9a-f]+)$/.exec(correlationId ?? "") ?? []
  if (key === undefined || request === undefined) return commands
  const index = commands.findLastIndex((command) => command.key === key)
  const known = commands[index]
  // A run goes on correlating long after: only the command's place in the queue stays.
  if (known !== undefined) return commands.with(index, { ...known, last: version })
  return [...commands, { key, request, first: version, last: version }].slice(-commandsMost)
}

/** What came of the command with this key, `undefined` when nothing is known of it. */
export const find = (commands: RememberedCommands, key: string): RememberedCommand | undefined =>
  commands.findLast((command) => command.key === key)
