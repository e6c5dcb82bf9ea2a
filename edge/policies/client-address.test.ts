import { expect, test } from "vitest";
import type { HttpRequest } from "../transcode/exchange.ts";
import { addressKey, clientAddressFrom } from "./client-address.ts";

const request = (peer: string, headers: Record<string, string> = {}): HttpRequest =>
  ({ socket: { remoteAddress: peer }, headers }) as unknown as HttpRequest;
const xff = (value: string) => ({ "x-forwarded-for": value });

test("without trusted proxies nobody is believed", () => {
  const client = clientAddressFrom([], "x-forwarded-for");
  expect(client(request("::ffff:192.0.2.7", xff("198.51.100.1")))).toBe("192.0.2.7");
});

test.each([
  ["an untrusted peer", "192.0.2.7", "198.51.100.1", "192.0.2.7"],
  ["one trusted hop", "10.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["what the client itself claimed", "10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"],
  ["two trusted hops", "10.0.0.1", "198.51.100.1, 10.9.9.9", "198.51.100.1"],
  ["a chain of proxies alone", "10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"],
  ["an entry that is no address", "10.0.0.1", "198.51.100.1, unknown, 10.0.0.3", "10.0.0.3"],
  ["an address with a port", "10.0.0.1", "198.51.100.1:4711", "198.51.100.1"],
  ["IPv6 with a port", "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"],
  ["an empty header", "10.0.0.1", "", "10.0.0.1"],
])("X-Forwarded-For of %s", (_what, peer, value, expected) => {
  expect(clientAddressFrom(["10.0.0.0/8"], "x-forwarded-for")(request(peer, xff(value)))).toBe(expected);
});

test.each([
  ["for=198.51.100.1", "198.51.100.1"],
  ['for="[2001:db8::1]:4711";proto=https', "2001:db8::1"],
  ["proto=https;for=198.51.100.1;by=10.0.0.1", "198.51.100.1"],
  ["for=203.0.113.9, for=198.51.100.1", "198.51.100.1"],
  ["for=_hidden", "10.0.0.1"],
  ["by=198.51.100.1", "10.0.0.1"],
])("Forwarded: %s", (value, expected) => {
  const client = clientAddressFrom(["10.0.0.1"], "forwarded");
  expect(client(request("10.0.0.1", { forwarded: value, ...xff("203.0.113.77") }))).toBe(expected);
});

test("ten thousand hops are not walked", () => {
  const client = clientAddressFrom(["10.0.0.0/8"], "x-forwarded-for");
  const hops = ["198.51.100.1", ...Array<string>(10_000).fill("10.0.0.2")].join(",");
  expect(client(request("10.0.0.1", xff(hops)))).toBe("10.0.0.2");
});

test.each(["10.0.0.0/33", "proxy.example", "10.0.0.0/", "::/129"])("%s is no proxy", (entry) => {
  expect(() => clientAddressFrom([entry], "x-forwarded-for")).toThrow(`"${entry}"`);
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::9", "2001:db8:1:2"],
  ["2001:db8::9", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["2001:DB8:0001:2::", "2001:db8:1:2"],
])("limits count %s as %s", (address, expected) => {
  expect(addressKey(address)).toBe(expected);
});
