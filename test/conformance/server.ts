/** Server under test: the runtime's server with ConformanceService on it. */
import type { AddressInfo } from "node:net";
import { createRegistry } from "@bufbuild/protobuf";
import { createRpcServer } from "#mesh/runtime/rpc/rpc-server.ts";
import { conformanceService } from "./conformance-service.ts";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/server_compat_pb.ts";
import {
  ConformanceService,
  file_connectrpc_conformance_v1_service,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { readMessages, writeMessage } from "./size-delimited.ts";

for await (const request of readMessages(process.stdin, ServerCompatRequestSchema)) {
  const server = await createRpcServer({
    groups: [
      { interceptors: [], routes: (router) => router.service(ConformanceService, conformanceService) },
    ],
    readMaxBytes: request.messageReceiveLimit || 4 * 1024 * 1024,
    compressMinBytes: 0,
    types: createRegistry(file_connectrpc_conformance_v1_service),
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { address, port } = server.server.address() as AddressInfo;
  writeMessage(process.stdout, ServerCompatResponseSchema, { host: address, port });
}
