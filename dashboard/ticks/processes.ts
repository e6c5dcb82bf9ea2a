/** Processes as the contract has them: what the runner says, with health and usage. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  ControlProcessRequest_Action as Action,
  Process_Kind as Kind,
  type Process,
  ProcessSchema,
  Process_State as State,
} from "#gen/weft/dashboard/v1/processes_pb.ts";
import type { ProcessState } from "#local/control/process-state.ts";
import type { Sources } from "../sources/sources.ts";
import { figuresOf } from "./figures-of.ts";

const kinds = {
  service: Kind.SERVICE,
  edge: Kind.EDGE,
  single: Kind.SERVICE,
  server: Kind.SERVER,
  dashboard: Kind.DASHBOARD,
} as const satisfies Record<ProcessState["kind"], Kind>;

const states = {
  starting: State.STARTING,
  ready: State.READY,
  restarting: State.RESTARTING,
  stopping: State.STOPPING,
  stopped: State.STOPPED,
  failed: State.FAILED,
} as const satisfies Record<ProcessState["state"], State>;

const order: readonly Kind[] = [Kind.EDGE, Kind.SERVICE, Kind.SERVER, Kind.DASHBOARD];

/** Edge, services by name, servers, dashboard. */
export function processesOf(sources: Sources): Process[] {
  return sources.processes.states
    .map((state) => processOf(sources, state))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.name < b.name ? -1 : 1));
}

function endpointsOf(sources: Sources, state: ProcessState): string[] {
  const { kind, port } = state;
  if (kind === "server") return [`127.0.0.1:${port}`];
  return kind === "dashboard"
    ? [`http://127.0.0.1:${port}`]
    : figuresOf(sources, state).map(({ url }) => url);
}

function processOf(sources: Sources, state: ProcessState): Process {
  const { usage, health, metrics } = sources;
  const used = state.pid === null ? undefined : usage.get(state.pid);
  const problem = health.get(state.name) ?? "";
  const delay = metrics.values(figuresName(sources, state), "nodejs_eventloop_delay_p99_seconds")[0]?.value;
  return create(ProcessSchema, {
    name: state.name,
    kind: kinds[state.kind],
    service: state.service,
    state: state.state === "ready" && problem !== "" ? State.NOT_READY : states[state.state],
    pid: state.pid ?? 0,
    restarts: state.crashes,
    startedAt: used?.startedAt === undefined ? undefined : timestampFromMs(used.startedAt),
    lastEnd: state.lastEnd ?? "",
    memoryBytes: used && BigInt(used.memoryBytes),
    cpuCores: used?.cpuCores,
    endpoints: endpointsOf(sources, state),
    eventLoopP99Ms: delay === undefined ? undefined : delay * 1_000,
    version: versionOf(sources, state),
    actions: actionsOf(state),
    logFile: state.logFile.split(/[\\/]/).at(-1) ?? "",
    problem: state.state === "ready" ? problem : "",
    nodes: figuresOf(sources, state).map(({ node }) => node),
  });
}

/** What it says of itself, and NATS in its greeting; empty where nothing is known. */
function versionOf(sources: Sources, state: ProcessState): string {
  const { metrics, bus } = sources;
  if (state.name === "nats" && bus.bus?.isConnected()) return bus.bus.connection.info?.version ?? "";
  if (state.kind === "server") return "";
  return metrics.values(figuresName(sources, state), "target_info")[0]?.labels.service_version ?? "";
}

/** Under which name there are figures of the process as a whole: in that of --single each service tells them. */
function figuresName(sources: Sources, state: ProcessState): string {
  return figuresOf(sources, state)[0]?.name ?? state.name;
}

/** The dashboard does not end itself: nothing would be left to start it again with. */
function actionsOf({ kind, state, replica }: ProcessState): Action[] {
  if (kind === "dashboard") return [];
  if (state === "stopped" || state === "failed") return [Action.START];
  const running = [Action.STOP, Action.RESTART, Action.KILL];
  const scales = (kind === "service" || kind === "edge") && replica === 1;
  return scales ? [...running, Action.SCALE] : running;
}
