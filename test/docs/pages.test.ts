/** Links of every page lead somewhere, and npm's commands in it exist. */
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { system } from "#local/system.ts";
import { allPages, anchorsOf, linksOf, root, textOf } from "./markdown-pages.ts";

const pages = allPages();
const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };

/** What a contract without services has none of. */
const isGeneratedOfServices = (file: string) =>
  system.services.length === 0 && /^(gen\/mesh|deploy\/kubernetes\/generated)\//.test(file);

test("links lead to files and headings that exist", () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter((target) => !/^\w+:/.test(target))
      .filter((target) => {
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? page : relative(root, resolve(root, dirname(page), path));
        if (!existsSync(join(root, file))) return !isGeneratedOfServices(file);
        return anchor !== undefined && file.endsWith(".md") && !anchorsOf(file).has(anchor);
      })
      .map((target) => `${page} → ${target}`),
  );
  expect(broken).toEqual([]);
});

test("npm commands name scripts, and tests that exist", () => {
  const wrong = pages.flatMap((page) => {
    const commands = textOf(page).matchAll(
      /npm (start|test|run(?: --silent)? [a-z][\w:-]*)(?: -- (?!-|new )([\w/.-]+))?/g,
    );
    return [...commands].flatMap(([command, script = "", argument]) => {
      const name = script.replace(/^run (--silent )?/, "");
      // A service that the page has just had made is not there.
      const made = argument && textOf(page).includes(`new service ${argument.replace("services/", "")}`);
      const lost = name === "test" && argument && !made && !existsSync(join(root, argument));
      return name in scripts && !lost ? [] : [`${page}: ${command}`];
    });
  });
  expect(wrong).toEqual([]);
});

test("pages of docs/ are found from its contents, one way or the other", () => {
  const reached = new Set(["docs/README.md"]);
  for (const page of reached)
    for (const target of linksOf(page)) {
      const path = relative(root, resolve(root, dirname(page), target.replace(/#.*/, "")));
      if (/^docs\/.*\.md$/.test(path) && existsSync(join(root, path))) reached.add(path);
    }
  expect(pages.filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
});
