/** Tables of the runtime, which every language writes down for itself: whoever comes second finds what it expects. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createEventTables } from "#mesh/runtime/events/migration.ts";
import { createStoredReplies } from "#mesh/runtime/idempotency/stored-replies.ts";

const mesh = join(import.meta.dirname, "../../mesh");
const textOf = (path: string) => readFileSync(join(mesh, path), "utf8");
const plain = (sql: string) =>
  sql
    .replace(/\s+/g, " ")
    .replace(/ ?([(),]) ?/g, "$1")
    .trim();

const inGo = (path: string) => textOf(path).replace(/--.*$/gm, "").split(";").map(plain).filter(Boolean);
const inPython = (path: string) =>
  [...textOf(path).matchAll(/^ {4}"(?:"")?(create [^"]+)"/gm)].map(([, sql = ""]) => plain(sql));

test.each([
  ["events", createEventTables, "go/events/tables.sql", "python/weft_runtime/events/event_tables.py"],
  [
    "replies by Idempotency-Key",
    createStoredReplies,
    "go/idempotency/tables.sql",
    "python/weft_runtime/idempotency/stored_replies.py",
  ],
])("those of %s are the same in all languages", (_, ours, go, python) => {
  const expected = ours.map(plain);
  expect(expected.length).toBeGreaterThan(1);
  expect(inGo(go)).toEqual(expected);
  expect(inPython(python)).toEqual(expected);
});
