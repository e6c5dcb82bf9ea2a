/**
 * Prints Secrets for a cluster without a secret store, with new passwords each time:
 *
 *     node deploy/kubernetes/make-secrets.ts | kubectl apply -f -
 *
 * In production the same values lie in the store, under the names of deploy/kubernetes/generated/external-secrets.
 */
import { randomBytes } from "node:crypto";
import { stringify } from "yaml";
import { system } from "../local/system.ts";
import { processNames } from "../local/topology.ts";

const names = processNames(system);
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
  ...names.map((name) => secret(`${name}-bus`, { "nats-password": passwords.get(name)! })),
  secret("nats-passwords", Object.fromEntries(names.map((name) => [variable(name), passwords.get(name)!]))),
  secret("email-mail", { "smtp-url": "smtp://mail.example:587" }),
];
process.stdout.write(secrets.map((each) => stringify(each)).join("---\n"));
