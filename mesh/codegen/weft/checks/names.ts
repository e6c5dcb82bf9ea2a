import { EDGE, EVERY_SERVICE, OPERATOR } from "../contract/model.ts";
import type { Problems } from "../contract/problems.ts";
import type { Served } from "../contract/read-contract.ts";

/** A name becomes a DNS label, a ServiceAccount, a database and a NATS user (RFC 1123 section 2.1). */
const LABEL = /^[a-z]([a-z0-9-]{0,46}[a-z0-9])?$/;
const RESERVED = new Set([EDGE, OPERATOR, "waypoint", "nats", "postgres"]);
/** What the database of a service is called: its cluster, and that cluster's hosts. */
const OF_DATABASES = /-db(-rw|-ro|-r)?$/;

export function checkNames(served: readonly Served[], problems: Problems): void {
  const names = new Set(served.map(({ name }) => name));
  for (const { desc, name } of served) {
    const add = (problem: string, instead: string) =>
      problems.add({ desc, option: "name", problem, instead });
    if (name === EVERY_SERVICE) continue;
    if (name === "") add("is missing", 'name: "things"');
    else if (!LABEL.test(name))
      add(
        `is "${name}", which is no name of a host`,
        "at most 48 lower-case letters, digits and dashes, a letter first",
      );
    else if (RESERVED.has(name)) add(`is "${name}", which is taken by the mesh itself`, "another name");
    const owner = name.replace(OF_DATABASES, "");
    if (owner !== name && names.has(owner))
      add(`is "${name}", which is taken by the database of "${owner}"`, "another name");
  }
}
