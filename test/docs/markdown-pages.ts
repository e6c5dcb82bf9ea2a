/** The repository's pages, and what they tell their reader to type. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");
export const textOf = (page: string) => readFileSync(join(root, page), "utf8");

const skipped = /(^|\/)(node_modules|third_party|\.weft|\.git|testdata|dist|cache)\//;

/** Paths of all pages below a folder. */
export function pagesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => path.endsWith(".md") && !skipped.test(path))
    .sort();
}

/** Pages at the root and in every folder of the repository's own. */
export function allPages(): string[] {
  const folders = [
    "cli",
    "dashboard",
    "deploy",
    "docs",
    "edge",
    "gen",
    "mesh",
    "packages",
    "services",
    "test",
  ];
  const atRoot = readdirSync(root).filter((name) => name.endsWith(".md"));
  return [...atRoot, ...folders.flatMap(pagesIn)];
}

/** Blocks of commands: those fenced as "sh", also within a list. */
export function commandsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^( *)(?:\d\. )?```sh\n([\s\S]*?)^ *```$/gm)].map(
    ([, indent = "", block = ""]) =>
      block.replaceAll(new RegExp(`^ {${indent.length},${indent.length + 3}}`, "gm"), ""),
  );
}

/** npm's scripts run the tests themselves; that they exist is all that can be checked. */
export const isNpm = (block: string) =>
  block.split("\n").every((line) => line === "" || line.startsWith("npm "));

/** Anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): Set<string> {
  const headings = textOf(page)
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .matchAll(/^#+ (.*)$/gm);
  return new Set([...headings].map(([, heading = ""]) => slug(heading)));
}

function slug(heading: string): string {
  const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
  return words.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
}

/** Targets of links and pictures, outside of code. */
export function linksOf(page: string): string[] {
  const prose = textOf(page)
    .replaceAll(/^ *```[\s\S]*?^ *```/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
}
