/** A peer in Go that knows the schema from reflection: `buf curl`, over each protocol of the port. */
import { execFile } from "node:child_process";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Code, ConnectError } from "@connectrpc/connect";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "#gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "#gen/grpc/reflection/v1/reflection_pb.ts";
import { reflectionOf } from "../reflection.ts";
import { createRpcServer } from "../rpc-server.ts";

const root = resolve(import.meta.dirname, "../../../..");
let server: FastifyInstance;
let url: string;

beforeAll(async () => {
  server = await createRpcServer({
    groups: [
      {
        interceptors: [],
        routes: (router) => {
          router.service(Health, {
            check({ service }) {
              if (service) throw new ConnectError(`no "${service}"`, Code.NotFound);
              return { status: Status.SERVING };
            },
          });
          router.service(ServerReflection, reflectionOf([Health, ServerReflection]));
        },
      },
    ],
    readMaxBytes: 10_000,
    compressMinBytes: 1_000,
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/grpc.health.v1.Health/Check`;
});
afterAll(() => server.close());

const bufCurl = (...args: string[]) =>
  promisify(execFile)(
    join(root, "node_modules/.bin/buf"),
    ["curl", "--http2-prior-knowledge", ...args, url],
    { cwd: root },
  );

test.each(["grpc", "grpcweb", "connect"])("buf curl gets a reply over %s", async (protocol) => {
  const { stdout } = await bufCurl("--protocol", protocol, "-d", "{}");
  expect(JSON.parse(stdout)).toEqual({ status: "SERVING" });
});

test.each(["grpc", "grpcweb", "connect"])("buf curl gets an error over %s", async (protocol) => {
  const failed = bufCurl("--protocol", protocol, "-d", '{"service": "größe"}');
  const { stderr } = (await failed.catch((error) => error)) as { stderr: string };
  expect(JSON.parse(stderr)).toMatchObject({ code: "not_found", message: 'no "größe"' });
});
