/**
 * What a run without an end asks of its schedule and its files: these must be of a kind that can grow.
 *
 * @module
 */
import type { Definition, Use } from "../../events/Definition.ts"
import { type Finding, finding } from "../../events/Finding.ts"
import { deadLettersBranch } from "../../events/PipelineEvent.ts"
import { isGzipName, readFormatOf } from "../drivers/file/formats.ts"
import { isGlob } from "../drivers/file/text/globFiles.ts"

/**
 * Errors of a pipeline whose run has no end: by its schedule, or because records are pushed into it. One that
 * is pushed into cannot be begun again by the clock either.
 */
export const continuousFindings = ({ deadLetters, schedule, stages }: Definition): ReadonlyArray<Finding> => {
  const all = Object.entries(stages)
  const pushed = all.find(([, { source }]) => source?.use === "http")?.[0]
  const follows = schedule === "continuous"
  const hasNoEnd = follows || pushed !== undefined
  return [
    ...(pushed !== undefined && typeof schedule === "object" ? [onlyOnce(pushed)] : []),
    ...all.flatMap(([name, { sink, source }]) => [
      ...(follows && source?.use === "file" ? sourceFindings(name, source) : []),
      ...(hasNoEnd && sink?.use === "file" ? sinkFindings(["stages", name, "sink"], sink) : [])
    ]),
    ...(hasNoEnd && deadLetters.sink?.use === "file"
      ? sinkFindings([deadLettersBranch, "sink"], deadLetters.sink)
      : [])
  ]
}

const onlyOnce = (stage: string): Finding =>
  finding(
    "schedule_without_end",
    ["schedule"],
    `records are pushed into ${stage} without an end, so the run of the first tick would be the only one`,
    "schedule: continuous, or manual"
  )

const sourceFindings = (stage: string, source: Use): ReadonlyArray<Finding> => {
  const path = typeof source.path === "string" ? source.path : ""
  const format = source.format ?? readFormatOf(path)
  const compressed = source.compression === undefined ? isGzipName(path) : source.compression === "gzip"
  const what = isGlob(path)
    ? "a set of files"
    : compressed
      ? "a compressed file"
      : format === "json" || format === "parquet"
        ? format
        : undefined
  if (what === undefined) return []
  const at = ["stages", stage, "source", ...(source.format === undefined ? [] : ["format"])]
  const message = `a continuous pipeline follows its file as it grows, and ${what} is only whole when it is finished`
  return [
    finding("cannot_grow", at, message, "one file of ndjson or csv, uncompressed; or a schedule with an end")
  ]
}

/** There is no moment at which `replace` could put its file in place, and nobody should be surprised by that. */
const sinkFindings = (end: ReadonlyArray<string>, sink: Use): ReadonlyArray<Finding> => {
  if (sink.mode === "append") return []
  const at = [...end, ...(sink.mode === undefined ? [] : ["mode"])]
  const message = "a run without an end never finishes a file, so it appends, and the pipeline says so"
  return [finding("mode_without_end", at, message, "mode: append")]
}
