/**
 * `npm run scaffold [-- NAME[:LANGUAGE] ...]`: makes services with `weft new service` in a copy of this repository, one in
 * each language whose tools are here, tests them there, starts those that run as processes of their own and looks for
 * them in the dashboard, takes them out again, and sees that nothing is left. Part of CI.
 */
import { languageNames } from "../../cli/scaffold/languages.ts";
import { missingFor } from "../system/missing-for.ts";
import { copyRepository } from "./copy.ts";
import { seenOnTheGraph } from "./on-the-graph.ts";

const usual: Readonly<Record<string, string>> = { ts: "gift-cards", go: "ratings", python: "wishlist" };

const given = process.argv.slice(2).map((each) => each.split(":"));
const wanted = given.length > 0 ? given : languageNames.split(", ").map((each) => [usual[each], each]);
const services = wanted.flatMap(([name = "", language = "ts"]) => {
  const missing = language === "go" || language === "python" ? missingFor(language) : undefined;
  if (missing) console.log(`a service in ${language}: skipped: ${missing}`);
  return missing ? [] : [{ name, language }];
});
const inOtherLanguages = services.filter(({ language }) => language !== "ts").map(({ name }) => name);

const copy = copyRepository();
const weft = (...args: string[]) => copy.run("npm", "run", "--silent", "weft", "--", ...args);
try {
  for (const { name, language } of services) weft("new", "service", name, "--lang", language);
  copy.run("npm", "run", "--silent", "lint");
  copy.run("npm", "run", "--silent", "typecheck");
  for (const { name, language } of services)
    if (language === "go") {
      copy.run("go", "vet", `./services/${name}`);
      copy.run("go", "test", "-trimpath", `./services/${name}`);
    }
  for (const { name, language } of services)
    if (language === "python") {
      const python = (...args: string[]) => copy.run(".weft/python/bin/python", "-m", ...args);
      python("ruff", "format", "--check", "--config", "mesh/python/ruff.toml", `services/${name}`);
      python("ruff", "check", "--config", "mesh/python/ruff.toml", `services/${name}`);
      copy.run(
        "env",
        `MYPYPATH=services/${name}`,
        ".weft/python/bin/python",
        ...["-m", "mypy", "--config-file", "mesh/python/mypy.ini", `services/${name}`],
      );
      python("pytest", "-c", "mesh/python/pytest.ini", `services/${name}`);
    }
  const tests = [
    ...services.map(({ name }) => `services/${name}`),
    "test/contract",
    "test/architecture",
    "test/mesh/image",
    "test/mesh/observability",
    "test/mesh/references",
  ];
  copy.run("npx", "vitest", "run", "--project", "parts", ...tests);
  if (inOtherLanguages.length > 0) await seenOnTheGraph(copy, inOtherLanguages);

  for (const { name } of services) weft("remove", "service", name, "--yes");
  if (copy.changed() !== "") throw new Error(`something is left of the services:\n${copy.changed()}`);
  console.log("made, tested, and gone without a trace");
} finally {
  copy.remove();
}
