/**
 * DESIGN
 *
 * A certificate authority of this machine, for the processes that run on it. In the folder:
 *
 *   authority/TIME.pem     roots with their keys (mode 0600), read by the runner only; the name is when it was made
 *   bundle.pem             the roots' certificates, which every process trusts
 *   NAME.cert.pem, NAME.key.pem    of one process: a day of life, renewed after half of it
 *
 * A root lives 90 days. Its successor is made half way and stands in the bundle for a day before it signs, so that
 * everybody knows it by then; the old one stays until it expires, longer than anything it signed.
 */
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spiffeId } from "#mesh/runtime/identity/spiffe-id.ts";
import { createRoot, issueCertificate, type KeyPair, type Validity } from "./certificates.ts";

const hour = 60 * 60 * 1_000;
const day = 24 * hour;
const rootLife = 90 * day;
/** How long a new root is in the bundle before it signs. */
const announcement = day;
/** Clocks of containers and hosts differ a little. */
const clockTolerance = 60_000;

/** PEM files with which a process proves who it is. */
export type IdentityFiles = { certificate: string; key: string };

/** Certificates of processes, kept fresh while `renew` is called now and then. */
export type Identities = {
  /** PEM file with the roots. */
  bundle: string;
  /** Files of a process whose certificate was issued. */
  filesOf(process: string): IdentityFiles;
  /**
   * Issues a certificate to a process, unless a fresh one is there.
   * @param process name of the files: the service's own, or one of its replicas'
   * @param service whom the certificate is for
   */
  issue(process: string, service?: string): Promise<IdentityFiles>;
  /** Renews what is past half of its life. */
  renew(): Promise<void>;
};

/**
 * Opens the authority in `folder`, which is made with mode 0700 if missing.
 * @param options.leafLife life of a process's certificate, in milliseconds
 * @param options.now the time, in milliseconds since 1970
 */
export async function openIdentities(
  folder: string,
  trustDomain: string,
  { leafLife = day, now = Date.now }: { leafLife?: number; now?: () => number } = {},
): Promise<Identities> {
  const bundle = join(folder, "bundle.pem");
  const issued = new Map<string, string>();
  const filesOf = (process: string) => ({
    certificate: join(folder, `${process}.cert.pem`),
    key: join(folder, `${process}.key.pem`),
  });
  const issue = async (process: string, service = process) => {
    const files = filesOf(process);
    issued.set(process, service);
    if (!isFresh(files, bundle, now() + leafLife / 2)) await writeLeaf(files, service);
    return files;
  };
  const writeLeaf = async (files: IdentityFiles, service: string) => {
    const pair = await issueCertificate(
      signingRoot(rootsIn(folder, now()), now()),
      {
        uris: [spiffeId(service, { trustDomain, namespace: "default" })],
        dnsNames: ["localhost"],
        addresses: ["127.0.0.1", "::1"],
      },
      lasting(leafLife, now()),
    );
    // The key first: readers take a pair that does not fit for one that is being written.
    writeWhole(files.key, pair.key);
    writeWhole(files.certificate, pair.certificate);
  };
  await ensureRoots(folder, trustDomain, now());
  writeBundle(folder, bundle, now());
  return {
    bundle,
    filesOf,
    issue,
    async renew() {
      await ensureRoots(folder, trustDomain, now());
      writeBundle(folder, bundle, now());
      for (const [process, service] of issued) await issue(process, service);
    },
  };
}

type Root = KeyPair & { file: string; madeAt: number; notAfter: number };

async function ensureRoots(folder: string, trustDomain: string, now: number): Promise<void> {
  mkdirSync(join(folder, "authority"), { recursive: true, mode: 0o700 });
  const newest = rootsIn(folder, now).at(-1);
  if (newest && now < newest.madeAt + rootLife / 2) return;
  const { certificate, key } = await createRoot(trustDomain, lasting(rootLife, now));
  const name = new Date(now).toISOString().replaceAll(":", "-");
  writeWhole(join(folder, "authority", `${name}.pem`), key + certificate);
}

/** Roots that have not expired, the oldest first; expired ones are removed. */
function rootsIn(folder: string, now: number): Root[] {
  const authority = join(folder, "authority");
  const roots = readdirSync(authority)
    .filter((name) => name.endsWith(".pem"))
    .sort()
    .map((name) => {
      const file = join(authority, name);
      const [key, certificate] = readFileSync(file, "utf8").split(/(?=-----BEGIN CERTIFICATE)/);
      if (!key || !certificate) throw new Error(`${file} is not a root with its key: remove it`);
      const { validFromDate, validToDate } = new X509Certificate(certificate);
      const madeAt = validFromDate.getTime() + clockTolerance;
      return { file, key, certificate, madeAt, notAfter: validToDate.getTime() };
    });
  for (const { file, notAfter } of roots) if (notAfter <= now) rmSync(file);
  return roots.filter(({ notAfter }) => notAfter > now);
}

/** The newest that everybody has had time to learn of. */
function signingRoot(roots: Root[], now: number): Root {
  return roots.findLast(({ madeAt }) => madeAt + announcement <= now) ?? roots[0]!;
}

function writeBundle(folder: string, bundle: string, now: number): void {
  const text = rootsIn(folder, now)
    .map(({ certificate }) => certificate)
    .join("");
  if (!existsSync(bundle) || readFileSync(bundle, "utf8") !== text) writeWhole(bundle, text);
}

/** Whether a certificate is valid beyond a time and leads to a root of the bundle. */
function isFresh({ certificate, key }: IdentityFiles, bundle: string, until: number): boolean {
  if (!existsSync(certificate) || !existsSync(key)) return false;
  const leaf = new X509Certificate(readFileSync(certificate));
  const roots = readFileSync(bundle, "utf8")
    .split(/(?=-----BEGIN CERTIFICATE)/)
    .map((pem) => new X509Certificate(pem));
  return until < leaf.validToDate.getTime() && roots.some(({ publicKey }) => leaf.verify(publicKey));
}

function lasting(life: number, now: number): Validity {
  return { notBefore: new Date(now - clockTolerance), notAfter: new Date(now + life) };
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
