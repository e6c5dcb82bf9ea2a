/**
 * Prints Secrets for a cluster without a secret store, with new keys and passwords each time:
 *
 *     node deploy/kubernetes/make-secrets.ts | kubectl apply -f -
 *
 * In production the same values lie in the store, under the names of deploy/kubernetes/generated/external-secrets.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { ensureIdentities } from "../local/identities.ts";
import { system } from "../local/system.ts";
import { processNames } from "../local/topology.ts";

const names = processNames(system);
const folder = mkdtempSync(join(tmpdir(), "weft-identities-"));
const { privateKey, bundle } = ensureIdentities(folder, [...names, "operator"]);
// Letters and digits, a letter first: nats-server reads it from its environment as a word.
const passwords = new Map(names.map((name) => [name, `p${randomBytes(18).toString("hex")}`]));

const secret = (name: string, stringData: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: "weft" },
  stringData,
});
const variable = (name: string) => `NATS_PASSWORD_${name.replaceAll("-", "_").toUpperCase()}`;
const secrets = [
  ...names.map((name) =>
    secret(`${name}-identity`, {
      "private.jwk.json": readFileSync(privateKey(name), "utf8"),
      "nats-password": passwords.get(name)!,
    }),
  ),
  secret("operator-identity", { "private.jwk.json": readFileSync(privateKey("operator"), "utf8") }),
  secret("trust-bundle", { "bundle.jwks.json": readFileSync(bundle, "utf8") }),
  secret("nats-passwords", Object.fromEntries(names.map((name) => [variable(name), passwords.get(name)!]))),
  secret("email-mail", { "smtp-url": "smtp://mail.example:587" }),
];
rmSync(folder, { recursive: true });
process.stdout.write(secrets.map((each) => stringify(each)).join("---\n"));
