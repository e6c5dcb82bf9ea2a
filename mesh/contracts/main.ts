/**
 * The contract gate, `npm run contracts`: style, compatibility with the commit this branch left main at, and what
 * consumers rely on. Nothing leaves the machine. BASE_REF names another commit; README.md tells the rest.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { readAccepted } from "./accepted.ts";
import { baseCommit, compileBoth } from "./base-contract.ts";
import { judge, withoutExample } from "./judge.ts";
import { asAnnotations, inWords } from "./report.ts";
import { surfaceOf } from "./surface.ts";

const root = resolve(import.meta.dirname, "../..");
const FOLDER = "proto/";
const CONSUMERS = "test/contract/consumers";
const ACCEPTED = "test/contract/accepted.yaml";

function buf(...args: string[]): boolean {
  return spawnSync("buf", args, { cwd: root, stdio: "inherit" }).status === 0;
}

function main(): boolean {
  const styled = [buf("lint"), buf("format", "-d", "--exit-code", "proto")].every(Boolean);
  const base = baseCommit(root, process.env.BASE_REF);
  if (!base) console.log("no contract to compare with: this is the first one");
  const { before, now, breaking } = compileBoth(root, base);
  const ours = (file: string) =>
    existsSync(join(root, FOLDER, file)) || !existsSync(join(root, "third_party", file));
  const verdict = judge({
    before,
    now,
    ours: (file) => !file.startsWith("google/protobuf/") && ours(file),
    root,
    consumers: CONSUMERS,
    accepted: readAccepted(join(root, ACCEPTED)),
  });

  // What buf knows and the comparison does not: nothing is lost for want of a name.
  const seen = new Set([...verdict.files].map((file) => `${FOLDER}${file}`));
  const others = breaking.filter(({ file }) => !seen.has(file));
  const text = inWords(verdict, FOLDER);
  if (text) console.log(text);
  for (const { file, line, text: found } of others) console.log(`${file}:${line}\n  ${found}`);
  if (process.env.GITHUB_ACTIONS === "true") console.log(asAnnotations(verdict, FOLDER));

  const missing = withoutExample(surfaceOf(now, ours), verdict.examples);
  const broken = verdict.changes.length + verdict.problems.length + others.length;
  const compared = base ? ` since ${base.slice(0, 12)}` : "";
  if (broken > 0)
    console.log(
      `\n${broken} ${broken === 1 ? "thing breaks" : "things break"} what was promised${compared}. What is meant goes into ${ACCEPTED} with a reason; a change that consumers must follow goes into a new version (docs/contracts.md).`,
    );
  else
    console.log(
      `nothing${compared} breaks what ${verdict.examples.length} examples of consumers rely on; relied on without one: ${missing.length}${missing.length > 0 ? `\n  ${missing.join("\n  ")}` : ""}`,
    );
  return styled && broken === 0;
}

try {
  process.exitCode = main() ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
