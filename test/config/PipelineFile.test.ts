// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of pipeline files
import { describe, expect, it } from "vitest"
import { type PipelineFileInput, parsePipelineFile } from "../../src/config/PipelineFile.ts"
import { builtinDrivers } from "../../src/drivers/builtin.ts"

const parse = (text: string, more: Partial<PipelineFileInput> = {}) =>
  parsePipelineFile({ text, environment: {}, ...more })

const drivers = new Map(builtinDrivers.map((driver) => [driver.name, driver]))

/** `code pointer line:column`, with the suggestion behind an arrow. */
const told = (text: string, more: Partial<PipelineFileInput> = {}): ReadonlyArray<string> =>
  parse(text, more).findings.map(
    ({ code, column, line, pointer, suggestion }) =>
      `${code} ${pointer} ${line}:${column}${suggestion === undefined ? "" : ` → ${suggestion}`}`
  )

const delayed = `name: delayed-flights
description: Flights more than an hour late, with the name of their airport
schedule: manual
stages:
  flights:
    source: { use: file, path: flights.ndjson, format: ndjson }
    output: { date: string, origin: string, delay: number }
  late:
    from: flights
    filter: record.delay > 60.0
  named:
    from: late
    lookup: { use: file, path: airports.csv, format: csv, match: { origin: iata }, into: airport, take: [name, state], on_miss: pass_through }
  shaped:
    from: named
    map:
      id: record.date + "/" + record.origin
      hours: record.delay / 60.0
      airport: record.airport.name
  store:
    from: shaped
    sink: { use: file, path: out/late.ndjson, format: ndjson }
  alerts:
    from: { stage: shaped, when: record.hours > 6.0 }
    sink: { use: file, path: out/alerts.csv, format: csv }
on_unrouted: dead_letter
dead_letters: { window: 100, threshold: 10 }
runtime:
  batch_size: 1000
  max_buffering: 1s
  in_flight: 4
  checkpoint_interval: 1s
`

const small = (more: string) => `name: p
stages:
  a:
    source: { use: memory, name: a }
  z:
    from: a
    sink: { use: memory, name: z }
${more}`

describe("a good file", () => {
  it.each([
    ["event_time", "  b: { source: { use: m }, event_time: at }", "{ field: at }"],
    ["explode", "  b: { from: a, explode: items }", "{ field: items }"],
    ["dedupe", "  b: { from: a, dedupe: record.id }", "{ key: record.id }"],
    [
      "by",
      "  b: { from: a, aggregate: { window: { session: 1s }, by: record.x, make: {} } }",
      "field names with an"
    ],
    ["item 1 of endpoints", "  b: { from: a, service: { endpoints: [http://x] } }", "{ url: http://…"]
  ])("says what %s takes, where a word alone stands", (subject, stage, takes) => {
    const { findings } = parsePipelineFile({ text: small(`${stage}\n`), environment: {} })
    expect(findings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining(`${subject} takes ${takes}`)
    )
  })

  it("has no findings", () => {
    const { definition, findings } = parse(delayed, { drivers, base: "/data" })
    expect(findings).toEqual([])
    expect(definition?.stages.alerts?.from).toEqual([{ stage: "shaped", when: "record.hours > 6.0" }])
    expect(definition?.runtime.maxBuffering).toBe(1000)
  })

  it("may be JSON", () => {
    const text = JSON.stringify({
      name: "p",
      stages: { a: { source: { use: "memory" } }, b: { from: ["a"], sink: { use: "memory" } } }
    })
    expect(parse(text, { path: "p.json" }).findings).toEqual([])
    expect(parse(text).definition?.name).toBe("p")
  })
})

describe("findings of the text", () => {
  it.each<[string, string, ReadonlyArray<string>]>([
    ["syntax", "name: [a", ["yaml_syntax  1:9"]],
    ["nothing", "", ["wrong_type  1:1"]],
    ["a list", "- a\n- b\n", ["wrong_type  1:1"]],
    ["two documents", "name: a\n---\nname: b\n", ["several_documents  2:1 → A file for each of them"]],
    ["a tag", "name: !!js/function x\n", ["yaml_syntax  1:7"]],
    ["an anchor that is not there", small("runtime: *nowhere\n"), ["yaml_syntax /runtime 8:10"]],
    [
      "a key twice",
      small("on_unrouted: drop\non_unrouted: dead_letter\n"),
      ["duplicate_key /on_unrouted 9:1"]
    ],
    [
      "a merge key",
      small("runtime: { <<: { batch_size: 1 } }\n"),
      ["merge_key /runtime/<< 8:12 → Repeat the keys, or use an alias for a whole value"]
    ],
    ["a key that is no text", small("runtime: { 1: 2 }\n"), ['bad_key /runtime/1 8:12 → "1"']],
    ["a list as a key", small("? [a]\n: 1\n"), ["bad_key  1:1"]],
    ["__proto__", small("__proto__: { polluted: true }\n"), ["forbidden_key /__proto__ 8:1"]],
    ["constructor", small("runtime: { constructor: 1 }\n"), ["forbidden_key /runtime/constructor 8:12"]],
    ["prototype", small("  prototype: { from: a }\n"), ["forbidden_key /stages/prototype 8:3"]],
    ["infinity", small("runtime: { batch_size: .inf }\n"), ["bad_value /runtime/batch_size 8:24"]],
    [
      "a number too large",
      small("runtime: { batch_size: 12345678901234567890 }\n"),
      ["bad_value /runtime/batch_size 8:24 → Put it in quotes"]
    ]
  ])("%s", (_, text, expected) => {
    expect(told(text)).toEqual(expected)
  })

  it("in JSON", () => {
    expect(told('{\n "name": "x",\n stages: {} }', { format: "json" })).toEqual(["json_syntax  3:2"])
    expect(told('{"name": "x", "name": "y", "stages": {}}', { format: "json" })).toEqual([
      "duplicate_key /name 1:15",
      "no_stages /stages 1:38"
    ])
  })
})

describe("findings of the schema", () => {
  it.each<[string, string, ReadonlyArray<string>]>([
    ["an unknown key", small("on_unruted: drop\n"), ["unknown_key /on_unruted 8:1 → on_unrouted"]],
    [
      "an unknown key far from any",
      small("zzz: 1\n"),
      [
        "unknown_key /zzz 8:1 → one of name, description, schedule, stages, merge, on_unrouted, dead_letters, runtime"
      ]
    ],
    [
      "a kind of stage that is not there",
      small("  b: { from: a, repeat: x }\n"),
      [
        "unknown_key /stages/b/repeat 8:17 → one of from, source, filter, map, explode, validate, dedupe, lookup, service, aggregate, function, sink, output, event_time"
      ]
    ],
    [
      "a missing key",
      small("  b:\n    from: a\n    lookup: { use: file, into: x }\n"),
      ["missing_key /stages/b/lookup/match 10:5"]
    ],
    [
      "a missing name",
      "stages: { a: { source: { use: m } }, z: { from: a, sink: { use: m } } }",
      ["missing_key /name 1:1"]
    ],
    ["a wrong type", small("runtime:\n  batch_size: many\n"), ["wrong_type /runtime/batch_size 9:15"]],
    ["nothing where something is due", small("  b:\n"), ["wrong_type /stages/b 8:3"]],
    ["a value out of bounds", small("runtime: { batch_size: 0 }\n"), ["bad_value /runtime/batch_size 8:24"]],
    [
      "a word that is none of the choices",
      small("on_unrouted: dead_leter\n"),
      ["bad_value /on_unrouted 8:14 → dead_letter"]
    ],
    ["a duration", small("runtime: { max_buffering: 5x }\n"), ["bad_value /runtime/max_buffering 8:27"]],
    [
      "a duration beyond reason",
      small("runtime: { max_buffering: 99999999d }\n"),
      ["bad_value /runtime/max_buffering 8:27"]
    ],
    [
      "a name",
      small("  b c: { from: a, sink: { use: memory } }\n"),
      ["bad_name /stages/b c 8:3 → 1 to 100 letters, digits, _ or -"]
    ],
    ["an edge", small("  b: { from: 5, sink: { use: memory } }\n"), ["wrong_type /stages/b/from 8:14"]],
    [
      "an edge with a misspelt key",
      small("  b: { from: { stage: a, wen: record.x }, sink: { use: memory } }\n"),
      ["unknown_key /stages/b/from/wen 8:26 → when"]
    ],
    [
      "a schedule",
      small("schedule: { cron: 0 6 * * *, timezone: UTC }\n"),
      ["unknown_key /schedule/timezone 8:30 → time_zone"]
    ],
    [
      "a map",
      small("  m: { from: a, map: { x: 1 } }\n  y: { from: m, sink: { use: memory } }\n"),
      ["wrong_type /stages/m/map/x 8:27"]
    ]
  ])("%s", (_, text, expected) => {
    expect(told(text)).toEqual(expected)
  })

  it("say what they want in plain words", () => {
    const message = (text: string) => parse(small(text)).findings[0]?.message
    expect(message("  b: { from: 5, sink: { use: memory } }\n")).toBe(
      "from takes a stage name, { stage, when } or a list of them, not 5"
    )
    expect(message("schedule: 5\n")).toBe(
      'schedule takes manual, continuous, { interval: 5m } or { cron: "0 6 * * *", time_zone: Europe/Berlin }, not 5'
    )
    expect(message("runtime: { max_buffering: 5 }\n")).toBe(
      "max_buffering takes a duration like 250ms, 5s, 10m, 1h or 7d, not 5"
    )
    expect(message("on_unrouted: [x]\n")).toBe("on_unrouted takes dead_letter or drop, not a list")
  })
})

describe("findings of the graph, with lines", () => {
  it.each<[string, string, ReadonlyArray<string>]>([
    ["no stages", "name: p\nstages: {}\n", ["no_stages /stages 2:9"]],
    [
      "unknown stage",
      small("  b:\n    from: aa\n    sink: { use: memory }\n"),
      ["unknown_stage /stages/b/from 9:11 → a"]
    ],
    [
      "in a list of one",
      small("  b:\n    from: [{ stage: y, when: 'true' }]\n    sink: { use: memory }\n"),
      ["unknown_stage /stages/b/from/0/stage 9:21", "constant_condition /stages/b/from/0/when 9:30"]
    ],
    [
      "a condition in a list of one",
      small("  b:\n    from: [{ stage: a, when: '1 +' }]\n    sink: { use: memory }\n"),
      ["bad_expression /stages/b/from/0/when 9:30"]
    ],
    [
      "missing from",
      small("  b:\n    sink: { use: memory }\n"),
      ["missing_from /stages/b/from 8:3 → from: a"]
    ],
    [
      "two kinds",
      small("  b:\n    from: a\n    filter: record.x\n    sink: { use: memory }\n"),
      ["stage_kind /stages/b 8:3 → A stage for each of filter, sink, joined by from"]
    ],
    [
      "a bad filter",
      small("  b:\n    from: a\n    filter: recrd.x\n  c: { from: b, sink: { use: memory } }\n"),
      ["bad_expression /stages/b/filter 10:13 → record"]
    ],
    [
      "a bad map",
      small(
        "  b:\n    from: a\n    map:\n      x: 'no'\n      y: no.x\n  c: { from: b, sink: { use: memory } }\n"
      ),
      ["bad_expression /stages/b/map/x 11:10 → record.no", "bad_expression /stages/b/map/y 12:10 → record.no"]
    ],
    [
      "a bad contract",
      small("  b:\n    from: a\n    sink: { use: memory }\n    output: { x: txt }\n"),
      ["bad_contract /stages/b/output/x 11:18"]
    ],
    ["no interval", small("schedule: { interval: 0s }\n"), ["bad_value /schedule/interval 8:23 → 1s"]],
    [
      "an interval below a second",
      small("schedule: { interval: 999ms }\n"),
      ["bad_value /schedule/interval 8:23 → 1s"]
    ],
    [
      "a cron",
      small("schedule: { cron: '61 * * * *', time_zone: Mars/Olympus }\n"),
      [
        'bad_cron /schedule/cron 8:19 → Five fields, or six with seconds: "0 6 * * *" is every day at six',
        "bad_time_zone /schedule/time_zone 8:44 → A name of the IANA database, like Europe/Berlin"
      ]
    ],
    [
      "policies that contradict each other",
      small("schedule: { interval: 1h, overlap: cancel_running, catch_up: all }\n"),
      ["catch_up_of_one /schedule/catch_up 8:62 → one"]
    ],
    [
      "files that cannot grow under a run without an end",
      `name: p
schedule: continuous
stages:
  a: { source: { use: file, path: a.json } }
  b: { source: { use: file, path: b.log, format: parquet } }
  c: { source: { use: file, path: c.csv.gz } }
  d: { source: { use: file, path: d.csv } }
  w: { from: [a, b, c, d], sink: { use: file, path: w.csv } }
  x: { from: [a, b, c, d], sink: { use: file, path: x.csv, mode: replace } }
  y: { from: [a, b, c, d], sink: { use: file, path: y.csv, mode: append } }
`,
      [
        "cannot_grow /stages/a/source 4:16 → one file of ndjson or csv, uncompressed; or a schedule with an end",
        "cannot_grow /stages/b/source/format 5:50 → one file of ndjson or csv, uncompressed; or a schedule with an end",
        "cannot_grow /stages/c/source 6:16 → one file of ndjson or csv, uncompressed; or a schedule with an end",
        "mode_without_end /stages/w/sink 8:34 → mode: append",
        "mode_without_end /stages/x/sink/mode 9:66 → mode: append"
      ]
    ],
    [
      "a run that is pushed into, with a clock and a file that would never be finished",
      `name: p
schedule: { interval: 5m }
stages:
  a: { source: { use: http } }
  w: { from: a, sink: { use: file, path: w.ndjson } }
`,
      [
        "schedule_without_end /schedule 2:11 → schedule: continuous, or manual",
        "mode_without_end /stages/w/sink 5:23 → mode: append"
      ]
    ]
  ])("%s", (_, text, expected) => {
    expect(told(text)).toEqual(expected)
  })
})

describe("findings of drivers", () => {
  const withDrivers = (text: string) => told(text, { drivers, base: "/data" })

  it("names, ends and settings", () => {
    expect(
      withDrivers(`name: p
stages:
  a:
    source: { use: fil, path: x.csv }
  b:
    source: { use: file, pth: x.csv, format: cvs }
  z:
    from: [a, b]
    sink: { use: file, path: z.ndjson, mode: 5 }
`)
    ).toEqual([
      "unknown_driver /stages/a/source/use 4:20 → file",
      "missing_key /stages/b/source/path 6:5",
      "unknown_key /stages/b/source/pth 6:26 → path",
      "bad_value /stages/b/source/format 6:46 → csv",
      "wrong_type /stages/z/sink/mode 9:46"
    ])
  })

  it("an end that a driver does not offer", () => {
    const half = new Map(drivers).set("half", {
      ...drivers.get("memory")!,
      name: "half",
      sink: undefined as never
    })
    const text = small("").replace("sink: { use: memory", "sink: { use: half")
    expect(told(text, { drivers: half, base: "/" })).toEqual([
      expect.stringMatching(/^driver_offers_no_end \/stages\/z\/sink\/use 7:18 → one of /)
    ])
  })

  it("two ends on one thing", () => {
    expect(
      withDrivers(`name: p
stages:
  a: { source: { use: file, path: a.ndjson } }
  x: { from: a, sink: { use: file, path: ./out/../x.ndjson } }
  y: { from: a, sink: { use: file, path: /data/x.ndjson } }
  z: { from: a, sink: { use: file, path: a.ndjson } }
`)
    ).toEqual(["shared_output /stages/y/sink 5:23", "sink_overwrites_source /stages/z/sink 6:23"])
  })

  it("leaves secrets alone", () => {
    const text = small("").replace("name: z", "name: { secret: THE_NAME }")
    expect(withDrivers(text)).toEqual([])
  })
})

describe("everything at once", () => {
  it("ten mistakes are ten findings, in the order of the text", () => {
    const text = `name: ten mistakes
shedule: manual
stages:
  flights:
    source: { use: fil, path: flights.csv }
    output: { delay: numbr }
  late:
    form: flights
    filter: record.delay > "60
  shaped:
    from: [lat, late]
    map: { hours: recod.delay / 60, __proto__: 1 }
  store:
    from: shaped
    sink: { use: file, path: "\${OUT}" }
on_unrouted: drip
`
    expect(told(text, { drivers, base: "/data" })).toEqual([
      "bad_value /name 1:7",
      "unknown_key /shedule 2:1 → schedule",
      "unknown_driver /stages/flights/source/use 5:20 → file",
      "bad_contract /stages/flights/output/delay 6:22 → number",
      "unknown_key /stages/late/form 8:5 → from",
      "bad_expression /stages/late/filter 9:13",
      "unknown_stage /stages/shaped/from/0 11:12 → late",
      "bad_expression /stages/shaped/map/hours 12:19 → record",
      "forbidden_key /stages/shaped/map/__proto__ 12:37",
      "unset_variable /stages/store/sink/path 15:30 → Set OUT, or write ${OUT:-default}",
      "bad_value /on_unrouted 16:14 → drop"
    ])
    expect(parse(text).definition).toBeUndefined()
  })

  it("but not more than a person can read", () => {
    const stages = Array.from(
      { length: 400 },
      (_, index) => `  s${index}: { from: nope${index}, filter: "1 +" }`
    )
    const { findings } = parse(`name: p\nstages:\n${stages.join("\n")}\n`)
    expect(findings).toHaveLength(201)
    expect(findings.at(-1)?.code).toBe("too_many_findings")
  })
})
