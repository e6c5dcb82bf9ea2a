import { expect, test } from "vitest";
import { implementationOf, languageOf } from "./build.ts";
import type { Implementation } from "./implementation.ts";

const go: Implementation = { build: async () => {}, command: () => ["go"] };
const rust: Implementation = { build: async () => {}, command: () => ["rust"] };
const both = { name: "both", port: 1, database: true, entry: "main.ts", implementations: { go } };
const others = { name: "others", port: 2, database: true, implementations: { go, rust } };
const asked = (...languages: [string, string][]) => ({ languages: new Map(languages) });

test("a service with a program in TypeScript runs that, unless another language is asked for", () => {
  expect(implementationOf(asked(), both)).toBeUndefined();
  expect(implementationOf(asked(["both", "go"]), both)).toBe(go);
});

test("a service without one runs the first of its others, unless another of them is asked for", () => {
  expect(languageOf(asked(), others)).toBe("go");
  expect(implementationOf(asked(), others)).toBe(go);
  expect(implementationOf(asked(["others", "rust"]), others)).toBe(rust);
});
