/**
 * Behind proxies of a mesh the caller stands in a header. What somebody who reaches the port, or sends through the
 * proxy, writes there himself: at a listening port, by gRPC (HTTP/2) and by Connect's protocol (HTTP/1.1).
 */
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { ListDeadLettersRequestSchema } from "#gen/weft/events/v1/dead_letters_pb.ts";
import type { MeshKind } from "../identity/workload.ts";
import { frame } from "./grpc/message.ts";
import { forget, idOf, library, logged, path, serve, stopAll } from "./testdata/library-mesh.ts";

/** Header lines as they are sent: one name may come several times, in any case. */
type Lines = readonly (readonly [name: string, value: string])[];

const message = toBinary(ListDeadLettersRequestSchema, create(ListDeadLettersRequestSchema));
const meshes = ["istio", "linkerd", "istio-ambient"] as const;
const ports = new Map<MeshKind, number>();

beforeAll(async () => {
  for (const mesh of meshes) {
    const own = {
      name: "library",
      mesh,
      trustDomain: "weft.test",
      namespace: "default",
      credentials: undefined,
    };
    ports.set(mesh, await serve(own));
  }
});
beforeEach(forget);
afterAll(stopAll);

async function byGrpc(mesh: MeshKind, lines: Lines): Promise<string> {
  const session = http2.connect(`http://127.0.0.1:${ports.get(mesh)}`);
  onTestFinished(() => session.destroy());
  const raw = [
    [":method", "POST"],
    [":path", path],
    [":scheme", "http"],
    [":authority", "library"],
  ];
  raw.push(["content-type", "application/grpc"], ["te", "trailers"]);
  // HTTP/2 has names in small letters only (RFC 9113 section 8.2.1).
  const sent = [...raw, ...lines.map(([name, value]) => [name.toLowerCase(), value])].flat();
  const stream = session.request(sent as unknown as http2.OutgoingHttpHeaders).on("error", () => {});
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.end(frame(message));
  const [received] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  await once(stream.resume(), "close");
  return codes[Number(received["grpc-status"] ?? trailers["grpc-status"])] ?? "another code";
}
const codes: Record<number, string> = { 0: "ok", 7: "permission_denied", 16: "unauthenticated" };

async function byConnect(mesh: MeshKind, lines: Lines): Promise<string> {
  const raw = [
    ["Host", "library"],
    ["Content-Type", "application/json"],
    ["Connect-Protocol-Version", "1"],
  ];
  const headers = [...raw, ...lines].flat();
  const options = { host: "127.0.0.1", port: ports.get(mesh)!, path, method: "POST", agent: false as const };
  const request = http.request({ ...options, headers: headers as unknown as http.OutgoingHttpHeaders });
  request.end("{}");
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  const body = Buffer.concat(await response.toArray()).toString();
  return response.statusCode === 200
    ? "ok"
    : ((JSON.parse(body || "{}") as { code?: string }).code ?? "none");
}

const xfcc = (name: string, by = "library") => `By=${idOf(by)};Hash=aa;Subject="";URI=${idOf(name)}`;
const l5d = (name: string) => `${name}.default.serviceaccount.identity.linkerd.weft.test`;
const certificate = "x-forwarded-client-cert";
const client = "l5d-client-id";

describe.each([
  ["gRPC", byGrpc],
  ["Connect", byConnect],
])("over %s", (_, send) => {
  test.each<[MeshKind, string, Lines, string]>([
    ["istio", "the caller that the proxy names is who calls", [[certificate, xfcc("operator")]], "ok"],
    ["istio", "one that is not on the list is refused", [[certificate, xfcc("edge")]], "permission_denied"],
    ["istio", "no header, no caller", [], "unauthenticated"],
    [
      "istio",
      "what came with the request stands before what the proxy wrote",
      [
        [certificate, xfcc("operator")],
        [certificate, xfcc("edge")],
      ],
      "permission_denied",
    ],
    [
      "istio",
      "the same in one line",
      [[certificate, `${xfcc("operator")},${xfcc("edge")}`]],
      "permission_denied",
    ],
    [
      "istio",
      "letters of any case are the same header",
      [
        ["X-Forwarded-Client-Cert", xfcc("operator")],
        ["x-FORWARDED-client-CERT", xfcc("edge")],
      ],
      "permission_denied",
    ],
    [
      "istio",
      "a header for another workload",
      [[certificate, xfcc("operator", "archive")]],
      "unauthenticated",
    ],
    [
      "istio",
      "two callers in one element",
      [[certificate, `${xfcc("edge")};URI=${idOf("operator")}`]],
      "unauthenticated",
    ],
    [
      "istio",
      "a name hidden in a subject",
      [[certificate, `By=${idOf("library")};Subject="URI=${idOf("operator")}"`]],
      "unauthenticated",
    ],
    ["istio", "Linkerd's header", [[client, l5d("operator")]], "unauthenticated"],
    [
      "istio",
      "Linkerd's header beside the proxy's own",
      [
        [certificate, xfcc("operator")],
        [client, l5d("operator")],
      ],
      "unauthenticated",
    ],
    [
      "istio",
      "names like the header's",
      [
        ["x_forwarded_client_cert", xfcc("operator")],
        [`${certificate}-bin`, xfcc("operator")],
      ],
      "unauthenticated",
    ],
    ["linkerd", "the caller that the proxy names is who calls", [[client, l5d("operator")]], "ok"],
    ["linkerd", "one that is not on the list is refused", [[client, l5d("edge")]], "permission_denied"],
    ["linkerd", "no header, no caller", [], "unauthenticated"],
    [
      "linkerd",
      "two of them are nobody",
      [
        [client, l5d("operator")],
        ["L5D-Client-Id", l5d("operator")],
      ],
      "unauthenticated",
    ],
    ["linkerd", "Istio's header", [[certificate, xfcc("operator")]], "unauthenticated"],
    [
      "linkerd",
      "another namespace",
      [[client, l5d("operator").replace("default", "evil")]],
      "unauthenticated",
    ],
    ["istio-ambient", "Istio's header", [[certificate, xfcc("operator")]], "unauthenticated"],
    ["istio-ambient", "Linkerd's header", [[client, l5d("operator")]], "unauthenticated"],
  ])("behind %s: %s", async (mesh, _what, lines, expected) => {
    expect(await send(mesh, lines)).toBe(expected);
    expect(library.calls).toBe(expected === "ok" ? 1 : 0);
    if (expected !== "ok") expect(logged).toMatchObject([{ rpc: path.slice(1) }]);
  });
});
