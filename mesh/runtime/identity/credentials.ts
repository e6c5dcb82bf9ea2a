/**
 * The certificate of this workload, its key and the roots that others' certificates must lead to, from three
 * files that somebody else renews (the local runner, cert-manager). They are looked at every few seconds.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Logger } from "../telemetry/log.ts";
import { nameInCertificate } from "./certificate-name.ts";
import type { TrustDomain } from "./spiffe-id.ts";

/** Between two looks at the files, in milliseconds. */
const lookEveryMs = 5_000;
/** Renewal comes at half of a certificate's life; one with less than this left, in milliseconds, is overdue. */
const lateMs = 60 * 60 * 1_000;

/** Paths of PEM files. */
export interface CredentialFiles {
  /** The workload's certificate; intermediate ones may follow. */
  readonly certificate: string;
  /** Its private key. */
  readonly key: string;
  /** One root or, while roots change, several. */
  readonly roots: string;
}

/** What stands in the files. */
export interface CredentialSet {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
  /** End of the certificate's life, in milliseconds since 1970. */
  readonly notAfter: number;
  /** For both ends of TLS 1.3; made once, since that costs more than a handshake needs otherwise. */
  readonly context: SecureContext;
}

/** Credentials that are renewed while the process runs. */
export interface Credentials {
  /** The newest; another object after each renewal. */
  readonly current: CredentialSet;
  /** Calls `listener` after each renewal, with what was before. */
  onRenewal(listener: (before: CredentialSet) => void): void;
  /** Looks at the files now. Files that do not fit together, being written perhaps, leave everything as it was. */
  reload(): void;
  /** Stops looking. */
  close(): void;
}

/**
 * Reads the files and keeps looking at them.
 *
 * @param name whom the certificate must be for
 * @throws Error when a file cannot be read, or the certificate is another's, expired, or not of this key
 */
export function openCredentials(
  name: string,
  domain: TrustDomain,
  files: CredentialFiles,
  log: Pick<Logger, "info" | "warn">,
): Credentials {
  let current = check(name, domain, readTexts(files));
  const listeners: ((before: CredentialSet) => void)[] = [];
  let reported = "";
  const reload = () => {
    try {
      const texts = readTexts(files);
      if (sameText(texts, current)) {
        if (Date.now() > current.notAfter - lateMs) throw new Error("nobody has renewed it");
        return;
      }
      const before = current;
      current = check(name, domain, texts);
      reported = "";
      log.info({ notAfter: new Date(current.notAfter).toISOString() }, "certificate renewed");
      for (const listener of listeners) listener(before);
    } catch (error) {
      const problem = (error as Error).message;
      if (problem !== reported)
        log.warn({ problem, notAfter: new Date(current.notAfter).toISOString() }, "certificate not renewed");
      reported = problem;
    }
  };
  const timer = setInterval(reload, lookEveryMs).unref();
  return {
    get current() {
      return current;
    },
    onRenewal(listener) {
      listeners.push(listener);
    },
    reload,
    close: () => clearInterval(timer),
  };
}

type Texts = Pick<CredentialSet, "certificate" | "key" | "roots">;

function sameText(a: Texts, b: Texts): boolean {
  return a.certificate === b.certificate && a.key === b.key && a.roots === b.roots;
}

function readTexts(files: CredentialFiles): Texts {
  return {
    certificate: readFileSync(files.certificate, "utf8"),
    key: readFileSync(files.key, "utf8"),
    roots: readFileSync(files.roots, "utf8"),
  };
}

function check(name: string, domain: TrustDomain, { certificate, key, roots }: Texts): CredentialSet {
  const own = new X509Certificate(certificate);
  const found = nameInCertificate(own, domain);
  if (found !== name) throw new Error(`the certificate belongs to "${found}", not to "${name}"`);
  if (!own.checkPrivateKey(createPrivateKey(key))) throw new Error("the certificate is for another key");
  const notAfter = own.validToDate.getTime();
  if (notAfter <= Date.now()) throw new Error(`the certificate expired at ${own.validToDate.toISOString()}`);
  const context = createSecureContext({ cert: certificate, key, ca: roots, minVersion: "TLSv1.3" });
  return { certificate, key, roots, notAfter, context };
}
