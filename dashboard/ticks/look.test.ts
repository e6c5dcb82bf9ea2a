/** What is read of the one process of --single, in which several services answer. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Metrics, serverCalls } from "../sources/metrics.ts";
import type { Sources } from "../sources/sources.ts";
import { callTraffic, provenEver } from "./call-traffic.ts";
import { figuresOf } from "./figures-of.ts";
import { lookAtAll } from "./look.ts";

const servers: Server[] = [];
let calls = 0;
/** A service that says that it is ready, and one call more each time it is asked. */
async function answering(): Promise<string> {
  const labels = (caller: string) =>
    `rpc_method="library.v1.Shelf/Lend",weft_caller="${caller}",rpc_response_status_code="OK"`;
  const page = () =>
    ["edge", "desk"].map((caller) => `${serverCalls}_count{${labels(caller)}} ${++calls}\n`).join("");
  const server = createServer((request, response) => response.end(request.url === "/metrics" ? page() : ""));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let sources: Sources;
const single = {
  name: "single",
  service: "single",
  kind: "single",
  port: 1,
  adminPort: null,
  pid: process.pid,
};
beforeAll(async () => {
  const services = [{ name: "shelf", url: await answering() }];
  const edge = { name: "edge", url: await answering() };
  sources = {
    config: { system: { services, edge } },
    contract: { contract: { services: [] } },
    processes: { states: [single] },
    metrics: new Metrics(),
    health: new Map(),
    usage: new Map(),
    inbox: { read: async () => {} },
  } as unknown as Sources;
});
afterAll(() => {
  for (const server of servers) server.close();
});

test("each service of the one process has figures of its own, which stay from look to look", async () => {
  const of = figuresOf(sources, single as never);
  expect(of.map(({ node }) => node)).toEqual(["shelf", "edge"]);
  for (let look = 0; look < 2; look++) await lookAtAll(sources, { metrics: true, bus: false });
  expect(sources.health.get("single")).toBe("");
  for (const { name } of of) expect(sources.metrics.calls(name, Date.now()).figures).toHaveLength(2);
  // Calls in memory prove nothing.
  expect([...provenEver(sources)]).toEqual(["edge>shelf", "edge>edge"]);
  expect(callTraffic(sources).map(({ id }) => id)).toEqual(["outside>edge"]);
});
