/** Clients of other services: typed by the contract, obeying its policy. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { replicaStreams } from "../discovery/replica-streams.ts";
import type { Upstreams } from "../discovery/upstreams.ts";
import type { Workload } from "../identity/workload.ts";
import { createGuard, type Guard } from "../policy/breaker.ts";
import type { BreakerBoard } from "../policy/breaker-board.ts";
import { meshNameOf, policyOf } from "../policy/method-policy.ts";
import { CallMetrics } from "../telemetry/call-metrics.ts";
import { currentContext, traceparentOf } from "../telemetry/context.ts";
import { outgoingTimeout } from "./deadline.ts";
import { markUpstreamError } from "./errors.ts";
import { parseTimeout } from "./grpc/timeout.ts";
import { grpcTransport } from "./grpc/transport.ts";
import type { Http2Sessions } from "./http2-sessions.ts";
import { traceCalls } from "./trace-calls.ts";

/**
 * Gives the client of a service of the contract.
 * @param name whom to call: the service's own name, which contracts of the kit have not
 */
export type Clients = <S extends DescService>(service: S, name?: string) => Client<S>;

/**
 * In-process transports by service name, for services that share a process. There is no connection whose
 * certificate would tell who calls, so the name of the caller is handed over with the transport.
 */
export type LocalTransports = Map<string, (caller: string, interceptors: Interceptor[]) => Transport>;

/** Largest message a client accepts, in bytes. */
const readMaxBytes = 1024 * 1024;

/**
 * Clients over gRPC; each stream goes to a replica of its service (discovery/balancer.ts).
 *
 * @param upstreams where services are
 * @param metrics counts the calls
 * @param local transports that are used in place of the network: services in the same process
 * @throws Error (from the returned function) for a service without an upstream
 */
export function createClients(options: {
  workload: Workload;
  upstreams: Upstreams<Http2Sessions>;
  local?: LocalTransports;
  metrics?: CallMetrics;
  /** Where breakers show themselves. */
  breakers?: BreakerBoard;
}): Clients {
  const { workload, upstreams, local, metrics, breakers } = options;
  const transports = new Map<string, Transport>();

  const transportTo = (upstream: string): Transport => {
    const interceptors = clientInterceptors(upstream, metrics, breakers);
    const inProcess = local?.get(upstream);
    if (inProcess) return inProcess(workload.name, interceptors);
    return grpcTransport({ sessions: replicaStreams(upstreams.to(upstream)), interceptors, readMaxBytes });
  };

  return (service, upstream = meshNameOf(service)) => {
    // Connected at the first call: services in one process may ask for each other's clients in any order.
    const transport = () => {
      const known = transports.get(upstream) ?? transportTo(upstream);
      transports.set(upstream, known);
      return known;
    };
    return createClient(service, withDeadline(transport));
  };
}

/** The list. The first is the outermost: it sees the request first and the reply last. */
export function clientInterceptors(
  upstream: string,
  metrics = new CallMetrics("client"),
  breakers?: BreakerBoard,
): Interceptor[] {
  return [
    // Outermost, so that whatever goes wrong further in is known as the upstream's.
    markErrors(upstream),
    // Around the breaker: a call that it refuses is counted and seen in the trace, too.
    traceCalls(upstream, metrics),
    // Before any work is done: a call that the breaker refuses costs nothing.
    guardCalls(upstream, breakers),
    // Innermost: the ids and the user of the request being served go along with a call that really leaves; the
    // trace's are set already where it has a span.
    propagateContext(),
  ];
}

function markErrors(upstream: string): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      throw markUpstreamError(error, upstream);
    }
  };
}

function guardCalls(upstream: string, breakers: BreakerBoard | undefined): Interceptor {
  const guards = new Map<DescMethod, Guard>();
  const guardOf = (desc: DescMethod): Guard => {
    const method = `${desc.parent.typeName}/${desc.name}`;
    const guard = createGuard(`${upstream}/${desc.name}`, policyOf(desc), (state) =>
      breakers?.changed(upstream, method, state),
    );
    guards.set(desc, guard);
    breakers?.add(() => {
      const { state, opened, rejectedOpen, rejectedFull } = guard;
      return { upstream, method, state, opened, rejectedOpen, rejectedFull };
    });
    return guard;
  };
  return (next) => (request) => {
    if (request.stream) return next(request);
    const guard = guards.get(request.method) ?? guardOf(request.method);
    const timeout = request.header.get("grpc-timeout");
    return guard.run(() => next(request), timeout === null ? undefined : parseTimeout(timeout));
  };
}

function propagateContext(): Interceptor {
  return (next) => (request) => {
    const context = currentContext();
    if (context) {
      request.header.set("x-request-id", context.requestId);
      if (!context.trace) request.header.set("traceparent", traceparentOf(context));
      if (context.authorization) request.header.set("authorization", context.authorization);
    }
    return next(request);
  };
}

/** Gives every call the timeout of its method, cut to what is left of the request being served. */
function withDeadline(transport: () => Transport): Transport {
  return {
    unary: async (method, signal, timeoutMs, ...rest) =>
      transport().unary(method, signal, outgoingTimeout(policyOf(method).timeoutMs, timeoutMs), ...rest),
    stream: async (method, signal, timeoutMs, ...rest) =>
      transport().stream(method, signal, outgoingTimeout(policyOf(method).timeoutMs, timeoutMs), ...rest),
  };
}
