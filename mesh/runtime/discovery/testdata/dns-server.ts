/** A DNS server on loopback that answers as a test tells it to (RFC 1035, section 4; AAAA by RFC 3596). */
import { createSocket, type RemoteInfo } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { LookUp } from "../resolve-names.ts";

const A = 1;
const AAAA = 28;
const codes = { ok: 0, failure: 2, unknown: 3 } as const;

export interface DnsServer {
  /** Addresses by name. A name that is not here is unknown; one with none exists and has no address. */
  readonly records: Map<string, string[]>;
  /** "silent": no answer; "failure": SERVFAIL. */
  mode: "well" | "silent" | "failure";
  /** Questions so far, repeats of a client that got no answer included. */
  questions: number;
  /** Asks this server alone for both kinds of addresses, as getaddrinfo does. */
  readonly lookUp: LookUp;
  stop(): void;
}

/** Starts one on a port of its own. */
export async function startDnsServer(): Promise<DnsServer> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  // Patient where an answer comes, since a busy machine takes its time; "silent" is given up soon.
  const patient = new Resolver({ timeout: 5_000, tries: 1 });
  const resolver = new Resolver({ timeout: 100, tries: 1 });
  patient.setServers([`127.0.0.1:${socket.address().port}`]);
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  const server: DnsServer = {
    records: new Map(),
    mode: "well",
    questions: 0,
    async lookUp(host) {
      const asking = server.mode === "silent" ? resolver : patient;
      const found = await Promise.allSettled([asking.resolve4(host), asking.resolve6(host)]);
      const addresses = found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
      if (addresses.length === 0) throw (found[0] as PromiseRejectedResult).reason;
      return addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
    },
    stop() {
      resolver.cancel();
      patient.cancel();
      socket.close();
    },
  };
  socket.on("message", (query: Buffer, from: RemoteInfo) => {
    server.questions++;
    if (server.mode !== "silent") socket.send(answer(query, server), from.port, from.address);
  });
  return server;
}

function answer(query: Buffer, { records, mode }: DnsServer): Buffer {
  const { name, end } = nameIn(query);
  const type = query.readUInt16BE(end);
  const known = mode === "failure" ? undefined : records.get(name);
  const found = (known ?? []).filter((address) => isIPv6(address) === (type === AAAA));
  const header = Buffer.from(query.subarray(0, 12));
  const code = mode === "failure" ? codes.failure : known ? codes.ok : codes.unknown;
  header.writeUInt16BE(0x8180 | code, 2); // a response, recursion wanted and to be had
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(found.length, 6);
  header.writeUInt32BE(0, 8);
  const question = query.subarray(12, end + 4);
  return Buffer.concat([header, question, ...found.map((address) => record(type, address))]);
}

/** The name in the question, and where it ends. */
function nameIn(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

function record(type: number, address: string): Buffer {
  const bytes = type === A ? Buffer.from(address.split(".").map(Number)) : ipv6(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name in the question
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4); // class IN
  head.writeUInt32BE(0, 6); // not to be kept
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, bytes]);
}

function ipv6(address: string): Buffer {
  const [before = "", after] = address.split("::");
  const [left, right] = [before, after ?? ""].map((part) => (part ? part.split(":") : []));
  const zeros = after === undefined ? [] : Array(8 - left!.length - right!.length).fill("0");
  const groups = [...left!, ...zeros, ...right!].map((group) => Number.parseInt(group, 16));
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
