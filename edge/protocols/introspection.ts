import { create, type DescService, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from "#gen/grpc/health/v1/health_pb.ts";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "#gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "#gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { createReflection } from "#mesh/runtime/rpc/reflection.ts";
import { Code, malformed, StatusError } from "../transcode/status.ts";
import { type LocalService, localCalls } from "./local-calls.ts";
import type { RpcMethods } from "./rpc-methods.ts";

/**
 * Adds grpc.health.v1 and server reflection (v1 and v1alpha) for what the edge serves, so that grpcurl and
 * buf curl need no schema.
 * @param services as clients may see them
 * @param isReady whether the edge takes calls
 */
export function addIntrospection(
  methods: RpcMethods,
  services: readonly DescService[],
  isReady: () => boolean,
): void {
  const reflection = localCalls(
    reflectionOver([...services, Health, ServerReflection, ServerReflectionAlpha]),
  );
  methods.add(ServerReflection, reflection);
  methods.add(ServerReflectionAlpha, reflection);
  methods.add(
    Health,
    localCalls(healthOf(new Set(["", ...services.map(({ typeName }) => typeName)]), isReady)),
  );
}

/** v1 and v1alpha have the same messages under two names, so one pair of schemas reads and writes both. */
function reflectionOver(services: readonly DescService[]): LocalService {
  const answer = createReflection(services);
  return {
    answer: (_method, message) => {
      const request = decode(() => fromBinary(ServerReflectionRequestSchema, message));
      const response = create(ServerReflectionResponseSchema, {
        validHost: request.host,
        originalRequest: request,
        ...answer(request.messageRequest),
      });
      return { replies: [toBinary(ServerReflectionResponseSchema, response)] };
    },
  };
}

function healthOf(names: ReadonlySet<string>, isReady: () => boolean): LocalService {
  const serving = (): Serving => (isReady() ? Serving.SERVING : Serving.NOT_SERVING);
  return {
    answer: (method, message) => {
      if (method === "List") {
        const statuses = Object.fromEntries([...names].map((name) => [name, { status: serving() }]));
        return {
          replies: [toBinary(HealthListResponseSchema, create(HealthListResponseSchema, { statuses }))],
        };
      }
      const { service } = decode(() => fromBinary(HealthCheckRequestSchema, message));
      const known = names.has(service);
      if (!known && method === "Check") throw new StatusError(Code.notFound, "unknown service");
      const status = known ? serving() : Serving.SERVICE_UNKNOWN;
      const reply = toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status }));
      return { replies: [reply], open: method === "Watch" };
    },
  };
}

function decode<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw malformed("the message does not decode");
  }
}
