/**
 * TLS between workloads: version 1.3 only, certificates on both ends, and each end checks the other's name by
 * its SPIFFE id. Where a mesh encrypts, the kit speaks plaintext to its proxy.
 */
import { X509Certificate } from "node:crypto";
import tls from "node:tls";
import { nameInCertificate } from "../identity/certificate-name.ts";
import { peerByCertificate, rememberPeer } from "../identity/peer.ts";
import type { Workload } from "../identity/workload.ts";
import type { Logger } from "../telemetry/log.ts";
import { Http2Sessions, type Http2SessionsOptions } from "./http2-sessions.ts";

/** Time a handshake may take, in milliseconds. */
const handshakeTimeoutMs = 10_000;
/** Failed handshakes that are logged in a second: anybody may cause them. */
const loggedPerSecond = 5;

/**
 * The part of a server that speaks TLS: connections are handed to it, and it tells who they are from. It does
 * not end the connection of a peer whose certificate is missing or wrong: calls by it are refused one by one,
 * with a status that says why, and with the method in the log.
 *
 * @returns undefined where a mesh encrypts
 */
export function serverTls({ credentials, ...domain }: Workload, log: Logger): tls.Server | undefined {
  if (!credentials) return undefined;
  const options = () => {
    const { certificate, key, roots } = credentials.current;
    return { cert: certificate, key, ca: roots, minVersion: "TLSv1.3" as const };
  };
  const server = tls.createServer({
    ...options(),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: handshakeTimeoutMs,
    // A resumed session would bring back a certificate that may have expired since.
    sessionTimeout: 1,
    secureOptions: noTickets,
  });
  server.on("secureConnection", (socket) => rememberPeer(socket, peerByCertificate(socket, domain)));
  server.on("tlsClientError", logSome(log));
  credentials.onRenewal((before) => {
    server.setSecureContext({ ...options(), secureOptions: noTickets });
    if (!isPartOf(before.roots, credentials.current.roots)) server.emit(trustWithdrawn);
  });
  return server;
}

/**
 * Event of such a server: a root is not trusted any more. Peers of open connections may be known by it, so they
 * have to show their certificates again.
 */
export const trustWithdrawn = "trustWithdrawn";

/** Whether every certificate of a bundle is in another one, too. */
function isPartOf(bundle: string, other: string): boolean {
  return bundle.split(/(?=-----BEGIN )/).every((pem) => other.includes(pem.trim()));
}

/** SSL_OP_NO_TICKET of OpenSSL. */
const noTickets = 0x4000;

function logSome(log: Logger): (error: Error, socket: tls.TLSSocket) => void {
  let second = 0;
  let logged = 0;
  return (error, { remoteAddress }) => {
    const now = Math.floor(Date.now() / 1_000);
    if (now !== second) logged = 0;
    second = now;
    const code = (error as NodeJS.ErrnoException).code ?? error.message;
    if (logged++ < loggedPerSecond) log.warn({ code, remoteAddress }, "TLS handshake failed");
  };
}

/**
 * Connections from `workload` to the workload `callee` at `url`. With certificates, they are made by TLS whatever
 * the URL's scheme says; connections made before a renewal finish their calls and take no new ones.
 */
export function sessionsTo(
  callee: string,
  url: string,
  workload: Workload,
  log: Pick<Logger, "warn">,
  options: Omit<Http2SessionsOptions, "tls" | "generation"> = {},
): Http2Sessions {
  const { credentials } = workload;
  if (!credentials) return new Http2Sessions(url, options);
  return new Http2Sessions(url.replace(/^http:/, "https:"), {
    ...options,
    tls: clientTls(callee, workload, log),
    generation: () => credentials.current,
  });
}

/** TLS options of a client, to be asked for anew for each connection. */
export function clientTls(
  callee: string,
  { credentials, ...domain }: Workload,
  log: Pick<Logger, "warn">,
): () => tls.ConnectionOptions {
  return () => ({
    secureContext: credentials?.current.context,
    minVersion: "TLSv1.3",
    ALPNProtocols: ["h2"],
    servername: "",
    // In place of Node's check of DNS names; the chain has been verified by then.
    checkServerIdentity(_host, { raw }) {
      try {
        const name = nameInCertificate(new X509Certificate(raw), domain);
        if (name === callee) return undefined;
        throw new Error(`the server is "${name}"`);
      } catch (error) {
        const problem = (error as Error).message;
        log.warn({ upstream: callee, problem }, "the server is not who it should be");
        return new Error(`the server is not "${callee}"`);
      }
    },
  });
}
