import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { frame } from "../rpc/grpc/message.ts";
import type { Http2Sessions } from "../rpc/http2-sessions.ts";

const request = frame(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema)), false);
const timeoutMs = 1_000;

/**
 * Asks a replica for its health (grpc.health.v1). One that answers at all but knows no such call is well.
 * @param sessions a pool of its own for this question, which is closed after it
 */
export function isHealthy(sessions: Http2Sessions): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (healthy: boolean) => {
      clearTimeout(timer);
      resolve(healthy);
      sessions.destroy();
    };
    const stream = sessions.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc+proto",
      te: "trailers",
      "grpc-timeout": `${timeoutMs}m`,
    });
    const timer = setTimeout(() => finish(false), timeoutMs);
    const chunks: Buffer[] = [];
    let status: unknown;
    stream.on("response", (headers) => {
      status = headers["grpc-status"];
    });
    stream.on("trailers", (trailers) => {
      status = trailers["grpc-status"];
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => finish(false));
    stream.on("close", () => finish(false));
    stream.on("end", () => finish(status === "12" || (status === "0" && isServing(Buffer.concat(chunks)))));
    stream.end(request);
  });
}

function isServing(body: Buffer): boolean {
  try {
    // Five bytes of framing, uncompressed: the request offers no compression.
    return fromBinary(HealthCheckResponseSchema, body.subarray(5)).status === Status.SERVING;
  } catch {
    return false;
  }
}
