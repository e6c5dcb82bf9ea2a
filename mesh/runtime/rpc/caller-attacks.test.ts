/** What strangers and other services try at a service's own port to pass for the edge, or to come by another way. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sign } from "../identity/testdata/forged-tokens.ts";
import { frame } from "./grpc/message.ts";
import {
  beAttacked,
  connection,
  edge,
  grpc,
  grpcCaller,
  path,
  request,
  withToken,
} from "./testdata/attacked-library.ts";
import { forget, idOf, issueTo, library, logged, stopAll, withPair } from "./testdata/library-mesh.ts";

beforeAll(beAttacked);
beforeEach(forget);
afterAll(stopAll);

test.each(["edg", "edge2", "edge-2", "xedge", "library", "operator", "e-dge"])(
  "a workload called %s is not the edge, whatever token it has",
  async (name) => {
    const call = grpcCaller(withPair(await issueTo(name)));
    expect(await call(withToken(await sign()))).toMatchObject({ code: 7 });
    expect(logged).toMatchObject([{ caller: name, reason: "CALLER_DENIED", rpc: path.slice(1) }]);
    expect(library.calls).toBe(0);
  },
);

const claimed = `By=${idOf("library")};URI=${idOf("edge")}`;
const l5d = "edge.default.serviceaccount.identity.linkerd.weft.test";
test.each<[string, Record<string, string>, string]>([
  ["as Istio's proxy says it", { "x-forwarded-client-cert": claimed }, "WORKLOAD_INVALID"],
  ["as two proxies say it", { "x-forwarded-client-cert": `${claimed}, ${claimed}` }, "WORKLOAD_INVALID"],
  ["as Linkerd's proxy says it", { "l5d-client-id": l5d }, "WORKLOAD_INVALID"],
  ["as both say it", { "x-forwarded-client-cert": claimed, "l5d-client-id": l5d }, "WORKLOAD_INVALID"],
  [
    "in binary metadata",
    {
      "x-forwarded-client-cert-bin": Buffer.from(claimed).toString("base64"),
      "l5d-client-id-bin": Buffer.from(l5d).toString("base64"),
    },
    "WORKLOAD_MISSING",
  ],
  [
    "in headers of other proxies",
    { "ssl-client-subject-dn": "CN=edge", "x-client-cert": claimed },
    "WORKLOAD_MISSING",
  ],
  [
    "in headers of the kit's name",
    { "x-weft-identity": "edge", "x-weft-caller": "edge" },
    "WORKLOAD_MISSING",
  ],
  ["in the user agent", { "user-agent": idOf("edge") }, "WORKLOAD_MISSING"],
])("the edge's name is not believed %s", async (_what, headers, reason) => {
  const good = { authorization: `Bearer ${await sign()}` };
  // By a stranger, and by a workload of the mesh that would be somebody else.
  expect(await connection()(grpc({ ...good, ...headers }))).toMatchObject({ grpc: "16" });
  const other = await connection(withPair(await issueTo("archive")))(grpc({ ...good, ...headers }));
  const denied = reason === "WORKLOAD_INVALID" ? ["16", reason] : ["7", "CALLER_DENIED"];
  expect(other.grpc).toBe(denied[0]);
  expect(logged.map((line) => line.reason)).toEqual([reason, denied[1]]);
  expect(library.calls).toBe(0);
});

test.each([
  path.toLowerCase(),
  `/${path}`,
  `${path}/`,
  `${path}?`,
  `${path}?x=1`,
  `${path};x=1`,
  `${path}#x`,
  `${path}%20`,
  path.replace("F", "%46"),
  path.replace("/Find", "//Find"),
  path.replace("/Find", "%2FFind"),
  `/x/..${path}`,
  `/.${path}`,
  `http://library${path}`,
])("another spelling of the method gets past nobody: %s", async (at) => {
  const stranger = connection();
  expect((await stranger(grpc({}, at))).grpc).not.toBe("0");
  const json = { ...grpc({}, at), "content-type": "application/json" };
  expect((await stranger(json, { body: Buffer.from("{}") })).http).not.toBe(200);
  expect(library.calls).toBe(0);
});

test.each<[string, Record<string, string>, Buffer]>([
  ["Connect with JSON", { "content-type": "application/json" }, Buffer.from("{}")],
  ["Connect", { "content-type": "application/proto" }, Buffer.from(request)],
  ["gRPC-Web", { "content-type": "application/grpc-web+proto" }, frame(request)],
  ["gRPC with JSON", { "content-type": "application/grpc+json" }, frame(Buffer.from("{}"))],
  ["gRPC with a parameter", { "content-type": "application/grpc;x=1" }, frame(request)],
  [
    "Connect by GET",
    { ":method": "GET", ":path": `${path}?connect=v1&encoding=json&message=%7B%7D` },
    Buffer.alloc(0),
  ],
])("the same is asked for by %s", async (_what, more, body) => {
  const forged = { authorization: `Bearer ${await sign({ aud: "other" })}` };
  const good = { authorization: `Bearer ${await sign()}` };
  for (const [pair, headers] of [
    [edge, {}],
    [edge, forged],
    [undefined, good],
    [withPair(await issueTo("archive")), good],
  ] as const)
    await connection(pair)({ ...grpc(), ...headers, ...more }, { body });
  expect(library.calls).toBe(0);
});
