/** Who calls, as proxies of a mesh tell it: only what they themselves have written counts. */
import { createContextValues } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { admittedByMesh, identifyCallers } from "./identify-caller.ts";
import type { MeshKind } from "./workload.ts";

const domain = { trustDomain: "cluster.local", namespace: "books" };
const identify = (mesh: MeshKind, headers: Record<string, string>) =>
  identifyCallers({ name: "library", mesh, ...domain, credentials: undefined })({
    header: new Headers(headers),
    contextValues: createContextValues(),
  });
const id = (name: string) => `spiffe://cluster.local/ns/books/sa/${name}`;
const refused = expect.objectContaining({ code: 16, reason: "WORKLOAD_INVALID" });
const outcome = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

const hash = "Hash=468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688";
const xfcc = (value: string) => () => identify("istio", { "x-forwarded-client-cert": value });

test.each([
  ["as Istio's sidecar writes it", `By=${id("library")};${hash};Subject="";URI=${id("reader")}`],
  ["in another order", `URI=${id("reader")};By=${id("library")}`],
  [
    "behind what came with the request",
    `By=${id("library")};URI=${id("admin")},By=${id("library")};${hash};Subject="";URI=${id("reader")}`,
  ],
  [
    "with a subject that has the format's own characters",
    `By=${id("library")};Subject="CN=a,URI=${id("admin")};x";URI=${id("reader")}`,
  ],
  ["with an escaped quote", `By=${id("library")};Subject="CN=\\",URI=${id("admin")}";URI=${id("reader")}`],
  ["with a DNS name", `By=${id("library")};URI=${id("reader")};DNS=reader.books.svc`],
  ["joined by a library", `By=${id("library")};URI=${id("admin")}, By=${id("library")};URI=${id("reader")}`],
])("x-forwarded-client-cert %s names the caller", (_, value) => {
  expect(outcome(xfcc(value))).toBe("reader");
});

test.each([
  ["empty", ""],
  ["for another workload", `By=${id("archive")};URI=${id("reader")}`],
  ["for nobody", `URI=${id("reader")}`],
  ["for two", `By=${id("library")};By=${id("library")};URI=${id("reader")}`],
  ["without a URI", `By=${id("library")};Subject="CN=reader"`],
  ["with an empty URI", `By=${id("library")};URI=`],
  ["with two URIs", `By=${id("library")};URI=${id("reader")};URI=${id("admin")}`],
  ["of another trust domain", `By=${id("library")};URI=spiffe://evil.test/ns/books/sa/reader`],
  ["of another namespace", `By=${id("library")};URI=spiffe://cluster.local/ns/evil/sa/reader`],
  ["with a quote that does not end", `By=${id("library")};Subject="x;URI=${id("reader")}`],
  ["with text behind a quote", `By=${id("library")};Subject="x"y;URI=${id("reader")}`],
  ["that ends with a comma", `By=${id("library")};URI=${id("reader")},`],
  ["that ends with a semicolon", `By=${id("library")};URI=${id("reader")};`],
  ["with an escape in the URI", `By=${id("library")};URI=${id("rea%64er")}`],
  ["with spaces", `By=${id("library")}; URI=${id("reader")}`],
  ["with a certificate only", `By=${id("library")};Cert="-----BEGIN%20CERTIFICATE-----"`],
  ["longer than any", `By=${id("library")};Subject="${"x".repeat(9_000)}";URI=${id("reader")}`],
])("x-forwarded-client-cert %s is refused", (_, value) => {
  expect(outcome(xfcc(value))).toEqual(refused);
});

const l5d = (value: string) => () => identify("linkerd", { "l5d-client-id": value });

test("l5d-client-id names the caller", () => {
  expect(outcome(l5d("reader.books.serviceaccount.identity.linkerd.cluster.local"))).toBe("reader");
});

test.each([
  "",
  "reader",
  "reader.evil.serviceaccount.identity.linkerd.cluster.local",
  "reader.books.serviceaccount.identity.linkerd.evil.test",
  "reader.books.serviceaccount.identity.linkerd.cluster.local.evil.test",
  "reader.books.serviceaccount.identity.linkerd.cluster.local, admin.books.serviceaccount.identity.linkerd.cluster.local",
  "x.reader.books.serviceaccount.identity.linkerd.cluster.local",
  "READER.books.serviceaccount.identity.linkerd.cluster.local",
  ".books.serviceaccount.identity.linkerd.cluster.local",
  "reader.books.pod.identity.linkerd.cluster.local",
])("l5d-client-id %j is refused", (value) => {
  expect(outcome(l5d(value))).toEqual(refused);
});

const headers = {
  "x-forwarded-client-cert": `By=${id("library")};URI=${id("reader")}`,
  "l5d-client-id": "reader.books.serviceaccount.identity.linkerd.cluster.local",
};
test.each([
  ["none", "x-forwarded-client-cert"],
  ["none", "l5d-client-id"],
  ["istio", "l5d-client-id"],
  ["linkerd", "x-forwarded-client-cert"],
  ["istio-ambient", "x-forwarded-client-cert"],
  ["istio-ambient", "l5d-client-id"],
] as const)("with WEFT_MESH=%s the header %s was made up by somebody", (mesh, name) => {
  expect(outcome(() => identify(mesh, { [name]: headers[name] }))).toEqual(refused);
});

test("without a header nobody is known, but in ambient mode the mesh has looked already", () => {
  expect((["none", "istio", "linkerd"] as const).map((mesh) => identify(mesh, {}))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(identify("istio-ambient", {})).toBe(admittedByMesh);
});
