/**
 * The command and its verbs.
 *
 * @module
 */
import { Command } from "effect/cli"
import { apply } from "./apply.ts"
import { check } from "./check.ts"
import { checkpoint } from "./checkpoint.ts"
import { deadLetters } from "./deadLetters.ts"
import { diff } from "./diff.ts"
import { doctor } from "./doctor.ts"
import { events } from "./events.ts"
import { exportLog } from "./export.ts"
import { DatabaseUrl, DataDirectory, Json, LogFormat, ServiceToken, ServiceUrl } from "./globalFlags.ts"
import { graph } from "./graph.ts"
import { importLog } from "./import.ts"
import { list } from "./list.ts"
import { new as newFile } from "./new.ts"
import { pause } from "./pause.ts"
import { plan } from "./plan.ts"
import { replay } from "./replay.ts"
import { run } from "./run.ts"
import { schedule } from "./schedule.ts"
import { serve } from "./serve.ts"
import { show } from "./show.ts"
import { start } from "./start.ts"
import { state } from "./state.ts"
import { stop } from "./stop.ts"
import { tail } from "./tail.ts"
import { test } from "./test.ts"
import { token } from "./token.ts"
import { top } from "./top.ts"
import { trigger } from "./trigger.ts"
import { verify } from "./verify.ts"

export const root = Command.make("millrace").pipe(
  Command.withDescription(
    "Run data pipelines that never lose their place.\n\n" +
      "Exit codes: 0 done, 1 the run or operation failed, 2 bad input, 3 environment, 130/143 cut off by a signal."
  ),
  Command.withSubcommands([
    { group: "Pipelines", commands: [newFile, check, test, graph, run, serve] },
    { group: "Operate", commands: [plan, apply, start, pause, stop, trigger, checkpoint, replay] },
    { group: "What happened", commands: [list, top, show, tail, events, state, diff, schedule, deadLetters] },
    { group: "Care", commands: [verify, exportLog, importLog, token, doctor] }
  ]),
  Command.withGlobalFlags([Json, DataDirectory, DatabaseUrl, LogFormat, ServiceUrl, ServiceToken]),
  Command.withExamples([
    { command: "millrace new", description: "Write generator.yaml, a pipeline file to start from" },
    { command: "millrace check generator.yaml", description: "Find what is wrong with it" },
    { command: "millrace run generator.yaml", description: "Run it to its end" }
  ])
)
