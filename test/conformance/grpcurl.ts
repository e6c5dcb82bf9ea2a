/** grpcurl as a peer: it finds the schema by reflection and makes unary and streaming calls. */
import { execFile } from "node:child_process";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "#gen/grpc/reflection/v1/reflection_pb.ts";
import { createHealth } from "#mesh/runtime/rpc/health.ts";
import { reflectionOf } from "#mesh/runtime/rpc/reflection.ts";
import { createRpcServer } from "#mesh/runtime/rpc/rpc-server.ts";

/** Arguments after the address, and what must be in the output; a call that fails says so on stderr. */
const calls: readonly [string[], string][] = [
  [["list"], "grpc.health.v1.Health"],
  [["describe", "grpc.health.v1.Health.Check"], "rpc Check ( .grpc.health.v1.HealthCheckRequest )"],
  [["grpc.health.v1.Health/Check"], '"status": "SERVING"'],
  [["-d", '{"service": "nobody"}', "grpc.health.v1.Health/Check"], "Code: NotFound"],
  [["-max-time", "5", "grpc.health.v1.Health/Watch"], '"status": "SERVING"'],
];

/**
 * @param program path of grpcurl
 * @returns whether every call had the outcome it must have
 */
export async function runGrpcurl(program: string): Promise<boolean> {
  const health = createHealth([Health.typeName]);
  health.setReady(true);
  const server = await createRpcServer({
    groups: [
      {
        interceptors: [],
        routes: (router) => {
          router.service(Health, health.service);
          router.service(ServerReflection, reflectionOf([Health, ServerReflection]));
        },
      },
    ],
    readMaxBytes: 64 * 1024,
    compressMinBytes: 1_024,
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  let passed = 0;
  for (const [args, wanted] of calls) {
    // Options come before the address.
    const at = args[0]?.startsWith("-") ? 2 : 0;
    const all = ["-plaintext", ...args.slice(0, at), address, ...args.slice(at)];
    const { stdout, stderr } = await promisify(execFile)(program, all).catch((error) => error);
    if (`${stdout}${stderr}`.includes(wanted)) passed++;
    else console.log(`FAILED: grpcurl ${all.join(" ")}\n\texpected ${wanted}, got: ${stdout}${stderr}`);
  }
  await server.close();
  console.log(`grpcurl: ${passed} passed, ${calls.length - passed} failed`);
  return passed === calls.length;
}
