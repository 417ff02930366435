/**
 * The pipeline that the contract's examples are about.
 *
 * @module
 */
import type { PipelineResource } from "./PipelineResource.ts"

export const exampleProgram = `schedule: manual
stages:
  flights: { source: { use: file, path: flights.ndjson } }
  late: { from: flights, filter: record.delay > 60 }
  store: { from: late, sink: { use: file, path: out/late.ndjson } }
`

export const examplePipeline: PipelineResource = {
  id: "67e55044-10b1-426f-9247-bb680e5fe0c8",
  name: "delayed-flights",
  description: "Flights more than an hour late",
  created_at: "2026-11-21T08:00:00.000Z",
  version: 3,
  platform_version: "0.2.0",
  runtime_config: { workers: 1, fault_tolerance: { checkpoint_interval_secs: 1 } },
  program_code: exampleProgram,
  udf_rust: "",
  udf_toml: "",
  program_config: {},
  program_info: null,
  program_findings: [],
  program_version: 2,
  program_status: "Success",
  program_status_since: "2026-11-21T08:00:00.000Z",
  deployment_status: "Running",
  deployment_status_since: "2026-11-21T08:00:01.000Z",
  deployment_desired_status: "Running",
  deployment_error: null,
  refresh_version: 3,
  lifecycle: "Running",
  run: null,
  progress: null
}

export const exampleEvent = {
  version: 12,
  position: 40,
  type: "Triggered",
  at: "2026-11-21T08:00:02.000Z",
  by: "deploy-bot",
  event_id: "01JD6V3M2S0000000000000000",
  epoch: 1,
  hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  payload: { _tag: "Triggered", reason: "by hand" }
}

export const exampleLetter = {
  id: "0.3.3017",
  run: "01JD6V3M2S0000000000000000",
  stage: "late",
  source: "flights",
  offset: 3017,
  reason: { code: "expression_failed", message: "delay is no number" },
  attempts: 1,
  branches: ["store"],
  batch: 3,
  raw: { encoding: "utf8", data: '{"delay":"n/a"}', size: 15 },
  redrives: 0,
  redriving: false
} as const
