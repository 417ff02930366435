import { assert, it } from "@effect/vitest"
import { Result } from "effect"
import { type Cron, parseCron } from "../../src/schedule/Cron.ts"

const values = (text: string, field: keyof Cron): ReadonlyArray<number> => {
  const cron = parseCron(text)
  if (Result.isFailure(cron)) throw new Error(cron.failure[0]!.message)
  return cron.success[field].values
}

it.each<[string, keyof Cron, ReadonlyArray<number>]>([
  ["5 * * * *", "second", [0]],
  ["5 * * * * *", "second", [5]],
  ["1,3-5,3 * * * *", "minute", [1, 3, 4, 5]],
  ["*/20 * * * *", "minute", [0, 20, 40]],
  ["5/20 * * * *", "minute", [5, 25, 45]],
  ["10-20/5 * * * *", "minute", [10, 15, 20]],
  ["0 0 1 jan,Mar-MAY *", "month", [1, 3, 4, 5]],
  ["0 0 * * MON-FRI", "weekday", [1, 2, 3, 4, 5]],
  ["0 0 * * 7", "weekday", [0]],
  ["0 0 * * FRI-SUN", "weekday", [0, 5, 6]],
  ["0 0 * * 5-7", "weekday", [0, 5, 6]],
  ["0 0 * * */2", "weekday", [0, 2, 4, 6]],
  ["0 0 ? * MON", "day", Array.from({ length: 31 }, (_, day) => day + 1)],
  ["@Hourly", "hour", Array.from({ length: 24 }, (_, hour) => hour)],
  ["@weekly", "weekday", [0]],
  ["  0\t6 * * *  ", "hour", [6]]
])("%s: the %s", (text, field, expected) => assert.deepStrictEqual(values(text, field), expected))

it.each<[string, ReadonlyArray<string>]>([
  ["61 * * * *", ["minute: the minute: 61 is not between 0 and 59"]],
  [
    "0 24 0 * *",
    ["hour: the hour: 24 is not between 0 and 23", "day: the day of the month: 0 is not between 1 and 31"]
  ],
  [
    "0 6 * *",
    ['null: it has 4 fields, and takes five, or six with seconds → "0 6 * * *" is every day at six']
  ],
  ["", ['null: it has 0 fields, and takes five, or six with seconds → "0 6 * * *" is every day at six']],
  [
    "*/90 * * * *",
    [
      "minute: the minute: */90: a step of 90 is longer than every minute there is → a longer distance is an interval: { interval: 90m }"
    ]
  ],
  ["*/0 * * * *", ["minute: the minute: */0: a step is a number from 1 on"]],
  ["1/2/3 * * * *", ["minute: the minute: 1/2/3 has two steps"]],
  ["0 22-5 * * *", ["hour: the hour: 22-5 runs backwards → 22-23,0-5"]],
  ["0 0 L * *", ["day: the day of the month: L is not known here"]],
  [
    "0 0 * FEBR *",
    [
      "month: the month: FEBR is no month → 1 to 12, or JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC"
    ]
  ],
  ["? * * * *", ["minute: the minute: ? stands for a day only"]],
  ["1,,2 * * * *", ["minute: the minute: a value is missing"]],
  ["-5 * * * *", ["minute: the minute: a value is missing"]],
  ["0 0 30 2 *", ["day: no month it names has such a day: it would never run → the 28th is in every month"]],
  [
    "0 0 31 4,6,9,11 *",
    ["day: no month it names has such a day: it would never run → the 28th is in every month"]
  ],
  ["@dayly", ["null: @dayly is not known → @daily"]],
  [
    "@reboot",
    ["null: @reboot is not known → one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly"]
  ]
])("%s is none", (text, expected) => {
  const cron = parseCron(text)
  assert.deepStrictEqual(
    Result.isFailure(cron)
      ? cron.failure.map(
          ({ field, message, suggestion }) =>
            `${field}: ${message}${suggestion === undefined ? "" : ` → ${suggestion}`}`
        )
      : [],
    expected
  )
})

it("30 February or a Monday is possible", () => assert.isTrue(Result.isSuccess(parseCron("0 0 30 2 MON"))))
