import { userInfo } from "node:os";
import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { type Fault as FaultMessage, FaultSchema } from "#gen/weft/dashboard/v1/faults_pb.ts";
import { abortCodes, type Fault, longestLifeMs } from "#mesh/runtime/faults/fault.ts";
import { readFaults, setFaults } from "#mesh/runtime/faults/fault-list.ts";
import type { Sources } from "../sources/sources.ts";
import { busOf } from "./events.ts";

const defaultLifeMs = 10 * 60_000;

/** Faults injected on purpose: kept on the bus, obeyed by the services. */
export function faultsRpc(sources: Sources) {
  const { config, contract, log } = sources;
  const off = config.faults ? "" : "the system does not run with WEFT_FAULTS=allow";
  const actor = `${userInfo().username} (dashboard)`;
  const change = async (edit: (faults: Fault[]) => Fault[]): Promise<Fault[]> => {
    if (off) throw new ConnectError(off, Code.FailedPrecondition);
    const bus = busOf(sources);
    try {
      const faults = edit(await readFaults(bus));
      await setFaults(bus, faults);
      sources.faults = faults;
      return faults;
    } catch (error) {
      throw error instanceof ConnectError
        ? error
        : new ConnectError(`bus: ${(error as Error).message}`, Code.Unavailable);
    }
  };
  const answer = (faults: readonly Fault[]) => ({ faults: faultMessages(faults), offBecause: off });

  return {
    listFaults: async () => answer(off ? [] : await readFaults(busOf(sources))),
    setFault: async ({ fault }) => {
      const wanted = faultOf(fault!, actor);
      checkMethod(sources, wanted.method);
      if (wanted.until > Date.now() + longestLifeMs)
        throw new ConnectError("fault.until: at most an hour from now", Code.InvalidArgument);
      await change((faults) => [...faults.filter(({ method }) => method !== wanted.method), wanted]);
      log.warn({ fault: wanted }, "a fault was set by hand");
      return faultMessages([wanted])[0]!;
    },
    clearFaults: async ({ method }) => {
      if (method !== "" && !method.endsWith("/*") && !contract.method(method))
        throw new ConnectError(`the contract has no method "${method}"`, Code.NotFound);
      return answer(
        await change((faults) => faults.filter((each) => method !== "" && each.method !== method)),
      );
    },
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

/** By method. */
export function faultMessages(faults: readonly Fault[]): FaultMessage[] {
  return faults
    .toSorted((a, b) => (a.method < b.method ? -1 : 1))
    .map(({ method, abort, delay, until, actor }) =>
      create(FaultSchema, {
        method,
        abort,
        delay: delay && { share: delay.share, duration: durationFromMs(delay.ms) },
        until: timestampFromMs(until),
        actor,
      }),
    );
}

function faultOf({ method, abort, delay, until }: FaultMessage, actor: string): Fault {
  if (!abort && !delay)
    throw new ConnectError("fault: neither abort nor delay is given", Code.InvalidArgument);
  const code = abortCodes.find((name) => name === (abort?.code || "UNAVAILABLE"));
  return {
    method,
    abort: abort && code && { share: abort.share, code },
    delay: delay && { share: delay.share, ms: Math.max(1, Math.round(durationMs(delay.duration!))) },
    until: until ? timestampMs(until) : Date.now() + defaultLifeMs,
    actor,
  };
}

function checkMethod({ contract }: Sources, method: string): void {
  const [service] = method.split("/");
  const known = method.endsWith("/*")
    ? contract.services.some(({ typeName }) => typeName === service)
    : contract.method(method) !== undefined;
  if (!known) throw new ConnectError(`the contract has no method "${method}"`, Code.NotFound);
}
