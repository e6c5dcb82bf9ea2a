import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Files that let a process prove who it is, and check who the others are. */
export type Identities = {
  /** Private JWK (RFC 8037, Ed25519) of one workload; mode 0600, kid = name. */
  privateKey(name: string): string;
  /** Public JWK set of all workloads. */
  bundle: string;
};

/**
 * Makes a key pair for each workload that has none yet, and the bundle of all.
 *
 * @param folder created with mode 0700 if missing
 * @param names of the workloads; a key of one that is not listed any more leaves the bundle
 */
export function ensureIdentities(folder: string, names: string[]): Identities {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const privateKey = (name: string) => join(folder, `${name}.private.jwk.json`);
  const keys = names.map((name) => {
    const file = privateKey(name);
    if (!existsSync(file)) writeWhole(file, JSON.stringify(newKey(name)));
    // The private part "d" is left out of what the others see.
    const { d: _, ...publicKey } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    return publicKey;
  });
  const bundle = join(folder, "bundle.jwks.json");
  writeWhole(bundle, JSON.stringify({ keys }, null, 2));
  return { privateKey, bundle };
}

function newKey(name: string) {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { ...privateKey.export({ format: "jwk" }), kid: name, alg: "EdDSA", use: "sig" };
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
