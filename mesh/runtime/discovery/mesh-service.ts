/** Handlers of weft.mesh.v1.MeshService. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Breaker_State, type MeshService } from "#gen/weft/mesh/v1/mesh_pb.ts";
import type { Config } from "../config.ts";
import type { Workload } from "../identity/workload.ts";
import type { BreakerBoard } from "../policy/breaker-board.ts";
import type { ServerLoad } from "../rpc/server-load.ts";
import { type Discovery, instanceName, startedAt } from "./discovery.ts";
import type { Connections } from "./endpoint.ts";

const states = {
  closed: Breaker_State.CLOSED,
  open: Breaker_State.OPEN,
  "half-open": Breaker_State.HALF_OPEN,
} as const;

export function meshRpc(parts: {
  service: string;
  config: Config;
  workload: Workload;
  discovery: Discovery<Connections>;
  breakers: BreakerBoard;
  load: ServerLoad;
}): ServiceImpl<typeof MeshService> {
  const { service, config, workload, discovery, breakers, load } = parts;
  return {
    getState() {
      const expiresAt = workload.credentials?.current.notAfter;
      return {
        service,
        instance: instanceName(config),
        version: config.version,
        startedAt: timestampFromDate(startedAt()),
        discovery: { kind: config.discovery, registryLive: discovery.directory?.isLive ?? false },
        upstreams: [...discovery.upstreams.inUse]
          .map(({ name, endpoints }) => ({
            service: name,
            endpoints: endpoints.map(({ address, instance = "", outstanding, failures, isEjected }) => ({
              ...{ address, instance, outstanding, failures },
              ejected: isEjected,
            })),
          }))
          .sort((a, b) => (a.service < b.service ? -1 : 1)),
        breakers: breakers.list().map(({ state, opened, rejectedOpen, rejectedFull, ...breaker }) => ({
          ...breaker,
          state: states[state],
          opened: BigInt(opened),
          rejectedOpen: BigInt(rejectedOpen),
          rejectedFull: BigInt(rejectedFull),
        })),
        load: { inFlight: load.inFlight, shedLevel: load.level, shed: BigInt(load.shed) },
        certificateExpiresAt: expiresAt === undefined ? undefined : timestampFromDate(new Date(expiresAt)),
      };
    },
  };
}
