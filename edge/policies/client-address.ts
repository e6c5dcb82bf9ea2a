/** Whose request it is: the connection's peer, or what proxies that are trusted say of theirs. */
import { BlockList, isIP, isIPv6 } from "node:net";
import type { HttpRequest } from "../transcode/exchange.ts";

/** Hops looked at; more than any sane chain has. */
const MAX_HOPS = 32;

/** The client's address; undefined when the connection is gone. */
export type ClientAddress = (request: HttpRequest) => string | undefined;

/**
 * @param trusted proxies' addresses or CIDR blocks; without any, headers are not looked at
 * @param header the one that these proxies write. Only one: a proxy that writes one lets the other through
 *   as the client sent it.
 * @throws Error naming an entry that is none
 */
export function clientAddressFrom(
  trusted: readonly string[],
  header: "x-forwarded-for" | "forwarded",
): ClientAddress {
  if (trusted.length === 0) return (request) => plain(request.socket?.remoteAddress);
  const proxies = blockList(trusted);
  const isTrusted = (address: string): boolean => proxies.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  return (request) => {
    let address = plain(request.socket?.remoteAddress);
    const value = request.headers[header];
    if (address === undefined || value === undefined) return address;
    // From the right: the last entry was written by the proxy that is connected to us, and so on.
    const hops = String(value).split(",").slice(-MAX_HOPS).reverse();
    for (const hop of hops) {
      if (!isTrusted(address)) break;
      const next = addressOf(header === "forwarded" ? forwardedFor(hop) : hop.trim());
      // What a trusted proxy could not name stays with the proxy.
      if (next === undefined) break;
      address = next;
    }
    return address;
  };
}

/**
 * What limits count an address by: IPv4 as it is, of IPv6 the first 64 bits, since every subscriber has as many
 * addresses as they like below that.
 */
export function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%", 1)[0]!.split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length);
  const all = [...groups, ...Array<string>(zeros).fill("0"), ...last];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    const most = family === "ipv6" ? 128 : 32;
    if (!isIP(address) || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)))
      throw new Error(`trusted proxies: "${entry}" is no address and no CIDR block`);
    list.addSubnet(address, bits === undefined ? most : Number(bits), family);
  }
  return list;
}

/** IPv4 in IPv6's clothes as IPv4. */
function plain(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") ? address.slice(7) : address;
}

/** `for` of a forwarded-element (RFC 7239 section 4). */
function forwardedFor(element: string): string {
  const match = /(?:^|;)\s*for=("?)([^;"\s]*)\1\s*(?:;|$)/i.exec(element);
  return match?.[2] ?? "";
}

/** An address with or without port, IPv6 with or without brackets. */
function addressOf(text: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1");
  return isIP(bare) ? plain(bare) : undefined;
}
