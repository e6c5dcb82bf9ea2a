/** grpc.health.v1: whether a process is ready to serve. */
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "#gen/grpc/health/v1/health_pb.ts";

/** State of a process and its services. */
export interface HealthState {
  readonly ready: boolean;
  /** Sets the state and tells everyone who watches. */
  setReady(ready: boolean): void;
  readonly service: Partial<ServiceImpl<typeof Health>>;
}

/** @param names full names of the services served; the empty name stands for the whole process */
export function createHealth(names: readonly string[]): HealthState {
  let ready = false;
  let changed = Promise.withResolvers<void>();
  const known = new Set(["", ...names]);
  const statusOf = (name: string) =>
    known.has(name) ? (ready ? Status.SERVING : Status.NOT_SERVING) : Status.SERVICE_UNKNOWN;

  return {
    get ready() {
      return ready;
    },
    setReady(value) {
      ready = value;
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
    service: {
      check({ service }) {
        if (!known.has(service)) throw new ConnectError(`unknown service "${service}"`, Code.NotFound);
        return { status: statusOf(service) };
      },
      list() {
        return { statuses: Object.fromEntries([...known].map((name) => [name, { status: statusOf(name) }])) };
      },
      async *watch({ service }, { signal }) {
        const gone = new Promise<void>((resolve) =>
          signal.addEventListener("abort", () => resolve(), { once: true }),
        );
        for (let sent: Status | undefined; !signal.aborted; ) {
          const next = changed.promise;
          if (statusOf(service) !== sent) {
            sent = statusOf(service);
            yield { status: sent };
          }
          await Promise.race([next, gone]);
        }
      },
    },
  };
}
