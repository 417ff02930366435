import { expect, it } from "vitest"
import { parsePipelineFile } from "../../src/config/PipelineFile.ts"

const warnings = (stages: string): ReadonlyArray<string> => {
  const { definition, findings } = parsePipelineFile({ text: `name: p\nstages:\n${stages}`, environment: {} })
  expect(definition).toBeDefined()
  return findings.map(
    ({ code, column, line, pointer, severity, suggestion }) =>
      `${severity} ${code} ${pointer} ${line}:${column}${suggestion === undefined ? "" : ` → ${suggestion}`}`
  )
}

it.each<[string, string, ReadonlyArray<string>]>([
  [
    "an order of one source alone",
    `  a: { source: { use: m } }
  c: { from: a, filter: record.x > 1 }
  d: { from: [a, c], sink: { use: m } }
merge: round_robin
`,
    ["warning nothing_to_merge /merge 6:8 → leave merge out"]
  ],
  [
    "a threshold that no window can reach",
    `  a: { source: { use: m } }
  b: { from: a, sink: { use: m } }
dead_letters: { window: 10 }
`,
    [
      "warning threshold_never_reached /dead_letters 5:15 → a threshold below the window, or window: 0 to say that there is no limit"
    ]
  ],
  [
    "a filter that asks nothing",
    `  a: { source: { use: m } }
  b: { from: a, filter: 1 < 2 }
  c: { from: b, sink: { use: m } }
`,
    ["warning constant_condition /stages/b/filter 4:25"]
  ],
  [
    "a CSV field compared with a number",
    `  a: { source: { use: file, path: a.csv } }
  b: { from: a, filter: record.delay > 60 }
  c: { from: { stage: b, when: record.n == 1 }, sink: { use: m } }
`,
    [
      "warning number_as_text /stages/b/filter 4:25 → types: { delay: number } beside the source's path",
      "warning number_as_text /stages/c/from/when 5:32 → types: { n: number } beside the source's path"
    ]
  ],
  [
    "not with types, not behind a map, not in NDJSON",
    `  a: { source: { use: file, path: a.csv, types: { delay: number } } }
  b: { from: a, filter: record.delay > 60 && record.origin == "JFK" }
  m: { from: b, map: { n: size(record.origin) } }
  f: { from: m, filter: record.n > 3 }
  x: { source: { use: file, path: x.ndjson } }
  y: { from: x, filter: record.delay > 60 }
  c: { from: [f, y], sink: { use: m } }
`,
    []
  ],
  [
    "a number that a CSV file never brings, behind a dedupe; a validate no record gets through",
    `  a: { source: { use: file, path: a.csv } }
  b: { from: a, dedupe: { key: record.id } }
  v: { from: b, validate: { contract: { n: number } } }
  f: { from: b, filter: { field: delay, gt: 60 } }
  c: { from: [v, f], sink: { use: m } }
`,
    [
      "warning number_as_text /stages/v/validate/contract/n 5:44 → types: { n: number } beside the source's path",
      "warning number_as_text /stages/f/filter/gt 6:45 → types: { delay: number } beside the source's path"
    ]
  ],
  [
    "a key and a hash that are the same for every record, and weights that nobody looks at",
    `  a: { source: { use: m } }
  b: { from: a, dedupe: { key: "1" } }
  s: { from: b, service: { endpoints: [{ url: "http://a", weight: 2 }, { url: "http://b" }] } }
  t: { from: s, service: { endpoints: [{ url: "http://a" }], balance: consistent_hash, hash: "'x'" } }
  c: { from: t, sink: { use: m } }
`,
    [
      "warning constant_key /stages/b/dedupe/key 4:32 → an expression like record.id",
      "warning no_effect /stages/s/service/endpoints 5:39 → balance: weighted",
      "warning constant_key /stages/t/service/hash 6:94 → an expression like record.id"
    ]
  ],
  [
    "an edge that nothing takes, and one that says what every edge means",
    `  a: { source: { use: m } }
  b: { from: { stage: a, when: { all: [never, record.x] } }, sink: { use: m } }
  c: { from: { stage: a, when: always }, sink: { use: m } }
`,
    ["warning constant_condition /stages/b/from/when 4:32"]
  ],
  [
    "a number promised of a CSV file",
    `  a: { source: { use: file, path: a, format: csv }, output: { delay: number, origin: string } }
  c: { from: a, sink: { use: m } }
`,
    ["warning number_as_text /stages/a/output/delay 3:70 → types: { delay: number } beside the source's path"]
  ],
  [
    "paths that are written like expressions",
    `  a: { source: { use: m }, event_time: { field: record.at } }
  b: { from: a, explode: { field: record.items } }
  c: { from: b, filter: { all: [{ not: { field: record.id, equals: 1 } }, record.id > 1] } }
  d: { from: { stage: c, when: { field: record.id, equals: 1 } }, lookup: { use: m, match: { record.id: id } } }
  e: { from: d, sink: { use: m } }
`,
    [
      "warning path_like_expression /stages/a/event_time/field 3:49 → at",
      "warning path_like_expression /stages/b/explode/field 4:35 → items",
      "warning path_like_expression /stages/c/filter/all/0/not/field 5:49 → id",
      "warning path_like_expression /stages/d/from/when/field 6:41 → id",
      "warning path_like_expression /stages/d/lookup/match/record.id 6:105 → id"
    ]
  ],
  [
    "but not where there is a field record",
    `  a: { source: { use: m }, output: { record: object } }
  b: { from: a, filter: { field: record.id, equals: 1 } }
  c: { from: b, sink: { use: m } }
`,
    []
  ],
  [
    "windows that leave something out, and a default that nobody takes",
    `  a: { source: { use: m }, event_time: { field: at } }
  b: { from: a, aggregate: { window: { sliding: 1h, every: 2h }, make: { n: count } } }
  c: { from: b, lookup: { use: m, match: { n: n }, default: { x: 1 } } }
  d: { from: c, sink: { use: m } }
`,
    [
      "warning windows_with_gaps /stages/b/aggregate/window/every 4:60 → an every that is no longer than sliding",
      "warning no_effect /stages/c/lookup/default 5:61 → on_miss: default"
    ]
  ],
  [
    "a password in the file",
    `  a: { source: { use: m, password: hunter2 } }
  c: { from: a, sink: { use: m, token: { secret: TOKEN } } }
`,
    ["warning secret_as_text /stages/a/source/password 3:36 → { secret: NAME_OF_THE_SECRET }"]
  ],
  [
    "a token in the headers of a service",
    `  a: { source: { use: m } }
  b: { from: a, service: { endpoints: [{ url: "http://x" }], headers: { x-api-key: abc, x-team: blue } } }
  c: { from: b, sink: { use: m } }
`,
    ["warning secret_as_text /stages/b/service/headers/x-api-key 4:84 → { secret: NAME_OF_THE_SECRET }"]
  ]
])("%s", (_, stages, expected) => {
  expect(warnings(stages)).toEqual(expected)
})
