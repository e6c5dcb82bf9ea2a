import { createClient, type HandlerContext } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "#gen/grpc/health/v1/health_pb.ts";
import { grpcTransport } from "./grpc/transport.ts";
import { Http2Sessions } from "./http2-sessions.ts";
import { listen } from "./listen.ts";

test("a question about health that is never asked to its end is given up: anybody may begin one", async () => {
  let context: HandlerContext | undefined;
  const check = (_: unknown, given: HandlerContext) => {
    context = given;
    return { status: Status.SERVING };
  };
  const server = await listen({
    host: "127.0.0.1",
    port: 0,
    contracts: [],
    routes: () => {},
    interceptors: [],
    health: { ready: true, setReady: () => {}, service: { check } },
    metrics: async () => "",
    secure: undefined,
  });
  const sessions = new Http2Sessions(`http://127.0.0.1:${server.port}`);
  onTestFinished(async () => {
    sessions.destroy();
    await server.close();
  });
  const client = createClient(Health, grpcTransport({ sessions, interceptors: [], readMaxBytes: 1_000 }));
  for (const timeoutMs of [undefined, 60 * 60_000]) {
    await client.check({}, { timeoutMs });
    expect(context?.timeoutMs()).toBeLessThanOrEqual(10_000);
  }
});
