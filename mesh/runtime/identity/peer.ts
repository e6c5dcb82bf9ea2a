/** Who is at the other end of a connection, as far as the connection itself proves it. */
import type { TLSSocket } from "node:tls";
import { createContextKey } from "@connectrpc/connect";
import { nameInCertificate } from "./certificate-name.ts";
import type { TrustDomain } from "./spiffe-id.ts";

/** A peer: known by name, known to be nobody, or silent about itself. */
export type Peer =
  /** @property validUntil end of the proof, in milliseconds since 1970 */
  | { readonly kind: "proved"; readonly name: string; readonly validUntil: number }
  /** It showed something that proves nothing. @property reason for the log */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "silent" };

const silent: Peer = { kind: "silent" };

/** The peer of the connection that a call came by. */
export const peerKey = createContextKey<Peer>(silent, { description: "peer" });

const peers = new WeakMap<object, Peer>();

/** The peer of an HTTP/2 session or of an HTTP/1.1 socket. */
export function peerOf(connection: object | undefined): Peer {
  return (connection && peers.get(connection)) ?? silent;
}

/** Notes who the peer of `connection` is. */
export function rememberPeer(connection: object, peer: Peer): void {
  peers.set(connection, peer);
}

/** The peer by its certificate, after the handshake of a server that asks for one and lets all pass. */
export function peerByCertificate(socket: TLSSocket, domain: TrustDomain): Peer {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return silent;
  const claimed = certificate.subjectAltName?.slice(0, 200) ?? "no alternative names";
  if (!socket.authorized) {
    // Typed as an error, and is a code such as CERT_HAS_EXPIRED.
    return { kind: "refused", reason: `${String(socket.authorizationError)} (${claimed})` };
  }
  try {
    const name = nameInCertificate(certificate, domain);
    return { kind: "proved", name, validUntil: certificate.validToDate.getTime() };
  } catch (error) {
    return { kind: "refused", reason: (error as Error).message };
  }
}
