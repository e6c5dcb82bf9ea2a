/**
 * `npm run scaffold [-- NAME ...]`: makes services with `weft new service` in a copy of this repository, tests them
 * there, takes them out again, and sees that nothing is left. Part of CI.
 */
import { copyRepository } from "./copy.ts";

const copy = copyRepository();
const names = process.argv.length > 2 ? process.argv.slice(2) : ["gift-cards"];

try {
  for (const name of names) copy.run("npm", "run", "--silent", "weft", "--", "new", "service", name);
  copy.run("npm", "run", "--silent", "lint");
  copy.run("npm", "run", "--silent", "typecheck");
  const tests = [
    ...names.map((name) => `services/${name}`),
    "test/contract",
    "test/architecture",
    "test/mesh/observability",
    "test/mesh/references",
  ];
  copy.run("npx", "vitest", "run", "--project", "parts", ...tests);

  for (const name of names)
    copy.run("npm", "run", "--silent", "weft", "--", "remove", "service", name, "--yes");
  if (copy.changed() !== "") throw new Error(`something is left of the services:\n${copy.changed()}`);
  console.log("made, tested, and gone without a trace");
} finally {
  copy.remove();
}
