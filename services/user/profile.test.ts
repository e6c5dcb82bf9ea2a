import { expect, test } from "vitest";
import { applyChanges, type ChangingProfile } from "./profile.ts";

const home = { label: "home", lines: ["1 Elm St"], city: "Ulm", postalCode: "89073", countryCode: "DE" };
const before = new Date("2026-01-01T00:00:00Z");
const now = new Date("2026-02-01T00:00:00Z");
const profile = (): ChangingProfile => ({ displayName: "Ann", addresses: [home], updatedAt: before });

test("what is left out stays", () => {
  const changed = profile();
  applyChanges(changed, { displayName: "Anna" }, now);
  expect(changed).toEqual({ displayName: "Anna", addresses: [home], updatedAt: now });
});

test("an empty value is a value", () => {
  const changed = profile();
  applyChanges(changed, { displayName: "", addresses: [] }, now);
  expect(changed).toEqual({ displayName: "", addresses: [], updatedAt: now });
});

test("addresses are replaced as a whole", () => {
  const changed = profile();
  const work = { ...home, label: "work" };
  applyChanges(changed, { addresses: [work] }, now);
  expect(changed.addresses).toEqual([work]);
});

test("no change leaves the time of the last change", () => {
  const changed = profile();
  applyChanges(changed, {}, now);
  expect(changed).toEqual(profile());
});
