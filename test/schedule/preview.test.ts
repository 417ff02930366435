import { assert, it } from "@effect/vitest"
import type { ScheduleDefinition } from "../../events/Definition.ts"
import { preview, previewMost } from "../../src/schedule/preview.ts"

const cron = (text: string, time_zone: string): ScheduleDefinition => ({
  cron: text,
  time_zone,
  overlap: "skip",
  catch_up: "one"
})

const lines = (schedule: ScheduleDefinition, from: string, n: number): ReadonlyArray<string> =>
  preview({ schedule, from: Date.parse(from), n }).map(
    ({ local, note, offset, timeZone }) =>
      `${local}${offset} ${timeZone}${note === undefined ? "" : `: ${note}`}`
  )

it.each<[string, ScheduleDefinition, string, ReadonlyArray<string>]>([
  [
    "a time that is left out",
    cron("30 2 * * *", "Europe/Berlin"),
    "2026-03-28T00:00Z",
    [
      "2026-03-28T02:30:00+01:00 Europe/Berlin",
      "2026-03-29T03:00:00+02:00 Europe/Berlin: 02:30 does not exist on this day: runs at 03:00",
      "2026-03-30T02:30:00+02:00 Europe/Berlin"
    ]
  ],
  [
    "a time that comes twice",
    cron("30 1 * * *", "America/New_York"),
    "2026-11-01T00:00Z",
    [
      "2026-11-01T01:30:00-04:00 America/New_York: 01:30 comes twice on this day: runs the first time",
      "2026-11-02T01:30:00-05:00 America/New_York"
    ]
  ],
  [
    "every hour of the day that has 25",
    cron("0 * * * *", "Europe/Berlin"),
    "2026-10-24T23:00Z",
    [
      "2026-10-25T02:00:00+02:00 Europe/Berlin: 02:00 comes twice on this day: runs both times",
      "2026-10-25T02:00:00+01:00 Europe/Berlin: the second 02:00 of this day",
      "2026-10-25T03:00:00+01:00 Europe/Berlin"
    ]
  ],
  [
    "every hour of the day that has 23: nothing is odd",
    cron("0 * * * *", "Europe/Berlin"),
    "2026-03-29T00:30Z",
    ["2026-03-29T03:00:00+02:00 Europe/Berlin"]
  ],
  [
    "a day that was skipped",
    cron("0 6 * * *", "Pacific/Apia"),
    "2011-12-29T17:00Z",
    [
      "2011-12-31T00:00:00+14:00 Pacific/Apia: 2011-12-30 06:00 does not exist: runs at 2011-12-31 00:00",
      "2011-12-31T06:00:00+14:00 Pacific/Apia"
    ]
  ],
  [
    "an interval",
    { interval: 90_000, overlap: "skip", catch_up: "one" },
    "2026-11-21T10:00:00.500Z",
    ["2026-11-21T10:01:30+00:00 UTC", "2026-11-21T10:03:00+00:00 UTC"]
  ]
])("%s", (_, schedule, from, expected) =>
  assert.deepStrictEqual(lines(schedule, from, expected.length), expected)
)

it("an interval in force keeps its beat", () => {
  const schedule = { interval: 60_000, overlap: "skip", catch_up: "one" } as const
  const [fire] = preview({ schedule, from: 100_000, n: 1, anchor: 30_000 })
  assert.strictEqual(fire?.dueAt, 150_000)
})

it("is bounded, and empty where nothing fires", () => {
  assert.lengthOf(preview({ schedule: cron("* * * * *", "UTC"), from: 0, n: 1_000_000 }), previewMost)
  assert.lengthOf(preview({ schedule: "continuous", from: 0, n: 5 }), 0)
  assert.lengthOf(preview({ schedule: cron("0 0 30 2 *", "UTC"), from: 0, n: 5 }), 0)
})
