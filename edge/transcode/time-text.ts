import type { JsonWriter } from "./json-writer.ts";
import { ValueError } from "./value-error.ts";

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;
const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z (google/protobuf/timestamp.proto). */
const FIRST_SECOND = -62135596800;
const LAST_SECOND = 253402300799;
/** About 10,000 years (google/protobuf/duration.proto). */
const LONGEST_SECONDS = 315576000000;

/** `seconds` fits a JavaScript number exactly in both types' ranges. */
export interface SecondsAndNanos {
  readonly seconds: number;
  readonly nanos: number;
}

/** RFC 3339 with upper-case T and Z, as ProtoJSON wants it; calendar dates are checked. */
export function parseTimestamp(text: string): SecondsAndNanos {
  const match = TIMESTAMP.exec(text);
  if (!match) throw new ValueError("must be an RFC 3339 timestamp");
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const offset = match[8]
    ? (match[8] === "-" ? 1 : -1) * (Number(match[9]) * 60 + Number(match[10])) * 60
    : 0;
  const exists =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!exists || year === 0 || Number(match[9] ?? 0) > 23 || Number(match[10] ?? 0) > 59) {
    throw new ValueError("is no date and time that exists");
  }
  const value = { seconds: date.getTime() / 1000 + offset, nanos: nanosOf(match[7]) };
  checkTimestamp(value);
  return value;
}

export function checkTimestamp({ seconds, nanos }: SecondsAndNanos): void {
  if (!(seconds >= FIRST_SECOND && seconds <= LAST_SECOND))
    throw new ValueError("is outside of the years 1 to 9999");
  if (!(nanos >= 0 && nanos <= 999_999_999)) throw new ValueError("nanos must be from 0 to 999999999");
}

/** `-1.5s`: both parts carry the sign. */
export function parseDuration(text: string): SecondsAndNanos {
  const match = DURATION.exec(text);
  if (!match) throw new ValueError('must be a duration in seconds such as "1.5s"');
  const sign = match[1] ? -1 : 1;
  // "|| 0" turns -0 into 0.
  const value = { seconds: sign * Number(match[2]) || 0, nanos: sign * nanosOf(match[3]) || 0 };
  checkDuration(value);
  return value;
}

export function checkDuration({ seconds, nanos }: SecondsAndNanos): void {
  const total = Math.abs(seconds);
  if (!(total <= LONGEST_SECONDS) || (total === LONGEST_SECONDS && nanos !== 0))
    throw new ValueError("is longer than 10,000 years");
  if (!(Math.abs(nanos) <= 999_999_999)) throw new ValueError("nanos must be less than a second");
  if (seconds * nanos < 0) throw new ValueError("seconds and nanos must have the same sign");
}

const QUOTE = 0x22;
const COLON = 0x3a;

let lastDay = 0;
let lastDayText = "1970-01-01T";

/** The timestamp as a JSON string. */
export function writeTimestamp(out: JsonWriter, value: SecondsAndNanos): void {
  checkTimestamp(value);
  const day = Math.floor(value.seconds / 86_400);
  // Times of one reply are mostly near each other.
  if (day !== lastDay) {
    lastDay = day;
    lastDayText = dateText(day);
  }
  const second = value.seconds - day * 86_400;
  out.byte(QUOTE);
  out.text(lastDayText);
  out.pair((second / 3_600) | 0);
  out.byte(COLON);
  out.pair(((second / 60) | 0) % 60);
  out.byte(COLON);
  out.pair(second % 60);
  if (value.nanos !== 0) out.text(fraction(value.nanos));
  out.text('Z"');
}

const pair = (value: number): string => String(value).padStart(2, "0");

/**
 * Calendar date of a day counted from 1970-01-01, with the "T" behind it, in the proleptic Gregorian calendar. Years begin in March
 * here, so that the leap day is the last one and months have a regular length; 400 years are 146,097 days.
 */
function dateText(sinceEpoch: number): string {
  const sinceMarchOfYear0 = sinceEpoch + 719_468;
  const era = Math.floor(sinceMarchOfYear0 / 146_097);
  const dayOfEra = sinceMarchOfYear0 - era * 146_097;
  const leapDays = ((dayOfEra / 1_460) | 0) - ((dayOfEra / 36_524) | 0) + ((dayOfEra / 146_096) | 0);
  const yearOfEra = ((dayOfEra - leapDays) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0));
  const marchMonth = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * marchMonth + 2) / 5) | 0) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  return `${pair((year / 100) | 0)}${pair(year % 100)}-${pair(month)}-${pair(day)}T`;
}

export function formatDuration(value: SecondsAndNanos): string {
  checkDuration(value);
  const sign = value.seconds < 0 || value.nanos < 0 ? "-" : "";
  return `${sign}${Math.abs(value.seconds)}${fraction(Math.abs(value.nanos))}s`;
}

const nanosOf = (digits: string | undefined): number => (digits ? Number(digits.padEnd(9, "0")) : 0);

/** None, three, six or nine digits. */
function fraction(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  if (nanos % 1_000_000 === 0) return `.${digits.slice(0, 3)}`;
  return nanos % 1000 === 0 ? `.${digits.slice(0, 6)}` : `.${digits}`;
}
