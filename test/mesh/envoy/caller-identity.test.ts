/** What a real Envoy tells the process behind it of the caller, as the process reads it (WEFT_MESH=istio). */

import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContextValues } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { identifyCallers } from "#mesh/runtime/identity/identify-caller.ts";
import { generate } from "../../../mesh/codegen/weft/testdata/compile.ts";
import { compileLibrary, SERVICE } from "../one-policy/library.ts";
import { makeAuthority } from "./certificates.ts";
import { findEnvoy } from "./find-envoy.ts";
import { startSidecar } from "./sidecar.ts";

const envoy = findEnvoy();
if (!envoy) console.log("a real Envoy's header: skipped: needs envoy, or python3 with pip");

test.skipIf(!envoy)(
  "Envoy's own word on the caller is understood, and what the caller claims does not get through",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "weft-envoy-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const make = makeAuthority(folder);
    const [shelves, edge] = [make("shelves"), make("edge")];
    const { file } = generate(compileLibrary(), "library/shelves/", "target=envoy,namespace=books");
    const files = new Map(file.map(({ name, content }) => [name, content]));

    let seen: IncomingHttpHeaders | undefined;
    const behind = createServer().on("stream", (stream: ServerHttp2Stream, headers) => {
      seen = headers;
      stream.resume();
      stream.respond(
        { ":status": 200, "content-type": "application/grpc", "grpc-status": "0" },
        { endStream: true },
      );
    });
    behind.listen(0, "127.0.0.1");
    await once(behind, "listening");
    onTestFinished(() => void behind.close());
    const processPort = (behind.address() as AddressInfo).port;
    const sidecar = await startSidecar({
      envoy: envoy!,
      folder,
      files,
      name: "shelves",
      tls: shelves,
      processPort,
      replicasOf: () => [],
    });
    onTestFinished(() => sidecar.stop());

    const pem = (name: string) => readFileSync(join(edge, name));
    const session = connect(`https://127.0.0.1:${sidecar.ports.get("inbound")}`, {
      ca: pem("ca.crt"),
      cert: pem("tls.crt"),
      key: pem("tls.key"),
      checkServerIdentity: () => undefined,
    });
    onTestFinished(() => session.destroy());
    const stream = session.request({
      ":method": "POST",
      ":path": `/${SERVICE}/FindBook`,
      "content-type": "application/grpc",
      te: "trailers",
      "x-forwarded-client-cert":
        "By=spiffe://cluster.local/ns/books/sa/shelves;URI=spiffe://cluster.local/ns/books/sa/lending",
    });
    stream.end(Buffer.alloc(5));
    await once(stream, "response");

    const header = new Headers({ "x-forwarded-client-cert": String(seen?.["x-forwarded-client-cert"]) });
    const identify = identifyCallers({
      name: "shelves",
      mesh: "istio",
      trustDomain: "cluster.local",
      namespace: "books",
      credentials: undefined,
    });
    expect(identify({ header, contextValues: createContextValues() })).toBe("edge");
    expect(header.get("x-forwarded-client-cert")).not.toContain("lending");
  },
);
