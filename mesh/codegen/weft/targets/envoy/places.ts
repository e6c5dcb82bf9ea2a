/** Ports and files of a sidecar. */
import type { MeshOptions } from "../../options.ts";

/** Where callers' sidecars connect to. */
export const INBOUND_PORT = 15_443;
/** Envoy's own pages, on loopback. */
export const ADMIN_PORT = 15_000;
/** Ports on loopback by which the process reaches its callees, counted up from here in order of their names. */
const FIRST_OUTBOUND_PORT = 15_101;

/** Certificate, key and roots; replacing the folder's contents by a rename renews them without a restart. */
export const TLS_FOLDER = "/etc/weft/tls";
/** Folder of the generated files in a sidecar. */
export const CONFIG_FOLDER = "/etc/weft/envoy";

export function outboundPorts(callees: readonly string[]): ReadonlyMap<string, number> {
  return new Map(callees.map((callee, index) => [callee, FIRST_OUTBOUND_PORT + index]));
}

export function spiffeId(name: string, { trustDomain, namespace }: MeshOptions): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`;
}

export function socketAddress(address: string, port: number): object {
  return { socket_address: { address, port_value: port } };
}
