import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { compileTime } from "../../../src/flow/time/compileTime.ts"

const read = (format: string, value: unknown): string | undefined => {
  const ms = Result.getOrThrow(compileTime(format))(value)
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

describe("iso", () => {
  it.each([
    ["2024-01-31", "2024-01-31T00:00:00.000Z"],
    ["2024-01-31T10:20", "2024-01-31T10:20:00.000Z"],
    ["2024-01-31 10:20:30", "2024-01-31T10:20:30.000Z"],
    ["2024-01-31T10:20:30Z", "2024-01-31T10:20:30.000Z"],
    ["2024-01-31T10:20:30.5Z", "2024-01-31T10:20:30.500Z"],
    ["2024-01-31T10:20:30.123999", "2024-01-31T10:20:30.123Z"],
    ["2024-01-31T00:20:30+01:00", "2024-01-30T23:20:30.000Z"],
    ["2024-01-31T20:20:30-0530", "2024-02-01T01:50:30.000Z"],
    ["2024-01-31T10:20:30+02", "2024-01-31T08:20:30.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2000-02-29", "2000-02-29T00:00:00.000Z"],
    ["0099-01-01", "0099-01-01T00:00:00.000Z"]
  ])("%s", (text, expected) => {
    expect(read("iso", text)).toBe(expected)
  })
})

describe("what is no time is not made one", () => {
  it.each<[string, unknown]>([
    ["iso", "2024-02-30"],
    ["iso", "2023-02-29"],
    ["iso", "1900-02-29"],
    ["iso", "2024-13-01"],
    ["iso", "2024-00-01"],
    ["iso", "2024-01-31T24:00:00Z"],
    ["iso", "2024-01-31T10:60"],
    ["iso", "2024-12-31T23:59:60Z"],
    ["iso", "2024-01-31T10:20:30+25:00"],
    ["iso", "2024-1-31"],
    ["iso", " 2024-01-31"],
    ["iso", "2024-01-31x"],
    ["iso", "yesterday"],
    ["iso", 1_700_000_000],
    ["iso", null],
    ["unix_s", ""],
    ["unix_s", "12 "],
    ["unix_s", "0x10"],
    ["unix_s", true],
    ["unix_s", Number.NaN],
    ["unix_ms", 8.64e15 + 1],
    ["dd.MM.yyyy", "31.02.2024"],
    ["dd.MM.yyyy", "1.02.2024"],
    ["dd.MM.yyyy", "01.02.2024 "],
    ["dd.MM.yyyy", "01-02-2024"],
    ["yyyyMMdd", 20_240_131],
    ["yyyyMMdd", "2024013"]
  ])("%s %j", (format, value) => {
    expect(read(format, value)).toBeUndefined()
  })
})

describe("other formats", () => {
  it.each<[string, unknown, string]>([
    ["unix_s", 1_700_000_000, "2023-11-14T22:13:20.000Z"],
    ["unix_s", 1_700_000_000.123, "2023-11-14T22:13:20.123Z"],
    ["unix_s", "1700000000.5", "2023-11-14T22:13:20.500Z"],
    ["unix_ms", 1_700_000_000_123, "2023-11-14T22:13:20.123Z"],
    ["unix_ms", "-1", "1969-12-31T23:59:59.999Z"],
    ["dd.MM.yyyy HH:mm", "31.01.2024 10:20", "2024-01-31T10:20:00.000Z"],
    ["yyyyMMdd", "20240131", "2024-01-31T00:00:00.000Z"],
    ["yyyy-MM-ddTHH:mm:ss.SSSZ", "2024-01-31T10:20:30.045Z", "2024-01-31T10:20:30.045Z"],
    ["yyyy/MM", "2024/05", "2024-05-01T00:00:00.000Z"]
  ])("%s %j", (format, value, expected) => {
    expect(read(format, value)).toBe(expected)
  })
})

it.each([
  ["yyyy-MM-dd hh", "h means nothing"],
  ["rfc3339", "r means nothing"],
  ["yyyy-MM-dd'T'HH", "' means nothing"],
  ["--", "names no part"],
  ["HH:mm", "has no yyyy"],
  ["yyyy-MM HH", "has no dd"],
  ["yyyy-MM-dd yyyy", "stands in yyyy-MM-dd yyyy twice"]
])("%s is no format", (format, because) => {
  const time = compileTime(format)
  expect(Result.isFailure(time) ? time.failure : "").toContain(because)
})
