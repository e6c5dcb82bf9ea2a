/** POST /v1/traces: OTLP/HTTP (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP") in Protobuf's binary format. */

import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { decodeTraces } from "../sources/otlp.ts";
import type { TraceStore } from "../sources/trace-store.ts";

/** Where exporters of OTLP send spans by default. */
export const spansPath = "/v1/traces";
const longestBody = 4 * 1024 * 1024;
const longestUnpacked = 32 * 1024 * 1024;

export function receiveSpans(server: FastifyInstance, traces: TraceStore): void {
  server.register(async (scope) => {
    scope.addContentTypeParser(
      "application/x-protobuf",
      { parseAs: "buffer", bodyLimit: longestBody },
      (_request, body, done) => done(null, body),
    );
    scope.post(spansPath, async (request, reply) => {
      try {
        const bytes = await unpacked(request.body as Buffer, request.headers["content-encoding"]);
        traces.add(decodeTraces(bytes));
      } catch (error) {
        // Not to be sent again: it would be refused again.
        return reply.code(400).send({ code: 3, message: (error as Error).message });
      }
      // An empty ExportTraceServiceResponse: all were taken.
      return reply.type("application/x-protobuf").send(Buffer.alloc(0));
    });
  });
}

async function unpacked(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  if (encoding === undefined || encoding === "identity") return body;
  if (encoding !== "gzip") throw new Error("content-encoding must be gzip, or left out");
  return promisify(gunzip)(body, { maxOutputLength: longestUnpacked });
}
