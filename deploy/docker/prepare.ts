/**
 * Makes what `docker compose` needs and nobody commits: certificates of workloads, passwords, the bus's users.
 *
 *     node deploy/docker/prepare.ts && docker compose -f deploy/docker/compose.yaml up --build
 *
 * Everything lies in .weft/compose; passwords that are there stay. Nobody renews certificates meanwhile, so they
 * live 30 days; running this again renews them, and the containers pick them up.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busUses } from "../local/bus-uses.ts";
import { openIdentities } from "../local/identities.ts";
import { natsConfiguration } from "../local/nats.ts";
import { natsUsers } from "../local/nats-users.ts";
import { system } from "../local/system.ts";
import { processNames } from "../local/topology.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".weft/compose");
const names = processNames(system);

mkdirSync(folder, { recursive: true, mode: 0o755 });
const file = join(folder, "passwords.json");
const known: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
const passwordOf = (name: string) => {
  known[name] ??= `p${randomBytes(18).toString("hex")}`;
  return known[name];
};

const month = 30 * 24 * 60 * 60 * 1_000;
const identities = await openIdentities(join(folder, "identity"), system.trustDomain, { leafLife: month });
// Containers run as another user than whoever starts them.
chmodSync(join(folder, "identity"), 0o755);
for (const name of [...names, "operator"]) {
  const { certificate, key } = await identities.issue(name);
  for (const file of [certificate, key]) chmodSync(file, 0o644);
}
chmodSync(identities.bundle, 0o644);

const users = natsUsers(
  busUses(join(root, system.descriptors), names, system.tokens.keys?.service, passwordOf),
);
const configuration = natsConfiguration({
  binary: "",
  dataDir: "/data",
  port: 4222,
  accounts: [{ name: "WEFT", users }],
  log: () => {},
}).replace("127.0.0.1:4222", "0.0.0.0:4222");
writeFileSync(join(folder, "nats-server.conf"), configuration, { mode: 0o644 });

const databases = system.services.filter(({ database }) => database).map(({ name }) => name);
const sql = databases.map(
  (name) =>
    `create role "${name}" login password '${passwordOf(`db-${name}`)}';\ncreate database "${name}" owner "${name}";\nrevoke all on database "${name}" from public;\n`,
);
writeFileSync(join(folder, "databases.sql"), sql.join(""), { mode: 0o644 });

const variable = (name: string) => name.replaceAll("-", "_").toUpperCase();
const lines = [
  `POSTGRES_PASSWORD=${passwordOf("db-postgres")}`,
  ...names.map((name) => `NATS_PASSWORD_${variable(name)}=${passwordOf(name)}`),
  ...databases.map((name) => `DB_PASSWORD_${variable(name)}=${passwordOf(`db-${name}`)}`),
];
writeFileSync(join(folder, "compose.env"), `${lines.join("\n")}\n`, { mode: 0o600 });
writeFileSync(file, JSON.stringify(known, null, 2), { mode: 0o600 });
console.log(`certificates, passwords and the bus's users are in ${folder}`);
