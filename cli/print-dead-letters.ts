/** Dead letters for people. */

import { enumToJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { FoundDeadLetter } from "#dashboard/sources/dead-letters.ts";
import { type DeadLetter, DeadLetter_StateSchema } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { table as printTable } from "./print-table.ts";

const causeWidth = 60;

/** One line for each. */
export function table(found: readonly FoundDeadLetter[]): string {
  const rows = found.map(({ letter }) => [
    letter.id,
    stateOf(letter),
    letter.consumer,
    letter.key,
    String(letter.attempts),
    time(letter.lastFailedAt),
    oneLine(letter.cause),
  ]);
  return printTable(["ID", "STATE", "CONSUMER", "KEY", "TRIES", "LAST FAILURE", "CAUSE"], rows);
}

/** Everything that is known of one. */
export function details(service: string, letter: DeadLetter): string {
  const lines: [string, string][] = [
    ["id", letter.id],
    [
      "state",
      `${stateOf(letter)}${letter.settledBy ? ` by ${letter.settledBy}, ${time(letter.settledAt)}` : ""}`,
    ],
    ["service", service],
    ["consumer", letter.consumer],
    ["event", `${letter.type} ${letter.eventId}`],
    ["key", letter.key],
    ["stream", `${letter.stream} ${letter.streamSequence}`],
    ["tries", String(letter.attempts)],
    ["cause", letter.cause],
    ["payload", letter.payloadProblem || JSON.stringify(letter.payload, null, 2)],
    [
      "headers",
      Object.entries(letter.headers)
        .map(([name, value]) => `${name}: ${value}`)
        .join("\n"),
    ],
    [
      "history",
      letter.history
        .map(
          ({ failedAt, cause, actor }) =>
            `${time(failedAt)}  ${oneLine(cause)}${actor ? `  (${actor})` : ""}`,
        )
        .join("\n"),
    ],
  ];
  return lines
    .map(([name, text]) => `${name.padEnd(10)}${printable(text).replaceAll("\n", `\n${" ".repeat(10)}`)}`)
    .join("\n");
}

function stateOf({ state }: DeadLetter): string {
  return String(enumToJson(DeadLetter_StateSchema, state)).toLowerCase();
}

function time(at: Timestamp | undefined): string {
  return at ? timestampDate(at).toISOString() : "";
}

function oneLine(text: string): string {
  const line = printable(text).replace(/\s+/g, " ");
  return line.length > causeWidth ? `${line.slice(0, causeWidth - 1)}…` : line;
}

/** Without control characters: what an event holds must not reach the terminal as a command. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "\uFFFD");
}
