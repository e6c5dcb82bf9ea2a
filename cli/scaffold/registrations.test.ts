import { expect, test } from "vitest";
import { system } from "#local/system.ts";
import { languageCalled, languageNames } from "./languages.ts";
import { spellingsFor } from "./naming.ts";
import { registrations } from "./registrations.ts";
import { exists, textOf } from "./repository.ts";

const spellings = spellingsFor("gift-cards", { root: "shop", today: new Date(0) });
const there = registrations.filter(({ path }) => exists(path));
const systemOf = there.find(({ path }) => path === "deploy/local/system.ts")!;

/** Spaces and the last comma of a list are the formatter's. */
const unformatted = (text: string) => text.replaceAll(/\s/g, "").replaceAll(/,(?=[}\]])/g, "");

// Lists of none have a spelling of their own.
test.skipIf(system.services.length === 0).each(languageNames.split(", "))(
  "entries of a service in %s come and go without a trace",
  (name) => {
    const service = { spellings, port: 9_100, language: languageCalled(name) };
    for (const { path, add, remove } of there) {
      const before = textOf(path);
      const after = add(before, service);
      expect(unformatted(remove(after, spellings)), path).toBe(unformatted(before));
    }
  },
);

test("an import that no service is left for goes with the last one", () => {
  const inGo = system.services.filter(({ implementations }) => implementations?.go);
  let text = textOf(systemOf.path);
  for (const { name } of inGo) {
    expect(text).toContain("goProgram");
    text = systemOf.remove(text, spellingsFor(name, { root: "shop", today: new Date(0) }));
  }
  expect(text).not.toContain("goProgram");
});

test("an unknown language is refused with those there are", () => {
  expect(() => languageCalled("cobol")).toThrow(`--lang: one of ${languageNames}, not "cobol"`);
  expect(() => languageCalled("constructor")).toThrow("--lang: one of");
});
