import { expect, test, vi } from "vitest";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import type { IncomingCall } from "../transcode/admission.ts";
import { StatusError } from "../transcode/status.ts";
import { logCalls } from "./access-log.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const call: IncomingCall = {
  method: Health.method.check,
  protocol: "rest",
  httpMethod: "GET",
  path: "/v1/things/1?secret=1",
  route: '/v1/"things"/{id}',
  headers: { authorization: "Bearer secret" },
  peer: "127.0.0.1",
  requestId: "request-1",
  metadata: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, authorization: "Bearer secret" },
};
const ok = { code: 0, httpStatus: 200, durationMs: 1.26, error: undefined };

test("a call is one line of JSON in the form of the log, without query and credentials", () => {
  const lines: string[] = [];
  logCalls(createLogger("edge"), (line) => lines.push(line))(call, ok);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]+\n$/);
  expect(lines[0]).not.toContain("secret");
  expect(JSON.parse(lines[0]!)).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    service: "edge",
    requestId: "request-1",
    traceId,
    protocol: "rest",
    rpc: "grpc.health.v1.Health/Check",
    method: "GET",
    route: '/v1/"things"/{id}',
    status: 200,
    code: 0,
    ms: 1.3,
    peer: "127.0.0.1",
    msg: "call",
  });
});

test("nothing is written at a level above info", () => {
  const write = vi.fn();
  logCalls(createLogger("edge", "warn"), write)(call, ok);
  expect(write).not.toHaveBeenCalled();
});

test("a failure with a cause of our own is a warning with that cause", () => {
  const log = createLogger("edge", "silent");
  const warn = vi.spyOn(log, "warn");
  const cause = new Error("connection refused");
  const error = new StatusError(14, "the upstream is not available", { cause });
  logCalls(log, () => {})(call, { ...ok, code: 14, httpStatus: 503, error });
  expect(warn).toHaveBeenCalledWith(expect.objectContaining({ status: 503, code: 14, err: cause }), "call");
});
