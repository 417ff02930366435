/**
 * A log of one pipeline and one run: what is asked of it is decided and folded as the actor does, and nothing
 * is kept but what it comes to.
 *
 * @module
 */
import { Result } from "effect"
import { type Definition, encodeDefinition } from "../../../events/Definition.ts"
import type { PipelineEvent, Raw } from "../../../events/PipelineEvent.ts"
import * as DeadLetters from "../../../projections/DeadLetters.ts"
import { evolve, initial, type PipelineState } from "../../../projections/PipelineState.ts"
import { signature } from "../../flow/contract/signature.ts"
import type { Command } from "../Command.ts"
import { decide } from "../decide.ts"
import type { RehearsedLetter } from "./Rehearsal.ts"

export class Notebook {
  state: PipelineState = initial
  #letters = DeadLetters.initial

  constructor(definition: Definition) {
    this.note({
      _tag: "Define",
      definition: {
        id: "rehearsal",
        name: definition.name,
        description: definition.description,
        text: "",
        settings: {},
        definition: encodeDefinition(definition) as never,
        findings: [],
        signature: signature(definition),
        base: "."
      }
    })
    this.note({ _tag: "Trigger", reason: "rehearsal" })
    this.note({ _tag: "StartRun", run: "rehearsal" })
  }

  note(command: Command): void {
    const events: ReadonlyArray<PipelineEvent> = Result.getOrThrow(decide(command, this.state))
    this.state = events.reduce(evolve, this.state)
    this.#letters = events.reduce(DeadLetters.evolve, this.#letters)
  }

  get letters(): ReadonlyArray<RehearsedLetter> {
    return DeadLetters.list(this.#letters).map((letter) => {
      const { branches, raw, reason, stage } = letter
      // Its own source, also where that is read as one with others.
      const { offset, source } = letter.origin ?? letter
      const { code, message } = reason
      return { source, offset, stage, branches, code, message, record: readable(raw) }
    })
  }
}

/** Sources of a rehearsal keep the JSON of what they were given; what is too long for a letter is left out. */
const readable = ({ data, encoding }: Raw): unknown => (encoding === "utf8" ? JSON.parse(data) : null)
