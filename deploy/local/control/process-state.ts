import type { RunProcess } from "../run.ts";
import type { PartState } from "../supervise.ts";

/** A process as it is told to those who steer the runner. Times are RFC 3339. */
export type ProcessState = {
  /** Unique: NAME, NAME-2, ... for services; "edge", "postgres", "nats", "dashboard", or "single". */
  name: string;
  kind: "service" | "edge" | "server" | "single" | "dashboard";
  /** The same for all replicas of a service. */
  service: string;
  replica: number;
  state: PartState;
  /** Null while no process runs. */
  pid: number | null;
  /** TCP port on 127.0.0.1 where it serves; replicas of the edge share one. */
  port: number;
  /** Port for health, numbers and weft.mesh.v1.MeshService, where that is not `port`; else null. */
  adminPort: number | null;
  readySince: string | null;
  /** Unwanted ends until now. */
  crashes: number;
  /** Why the last process ended, or did not start. */
  lastEnd: string | null;
  logFile: string;
};

export function stateOf(process: RunProcess): ProcessState {
  const { name, state, pid, readySince, crashes, lastEnd, about } = process;
  return {
    name,
    kind: about.kind,
    service: about.service,
    replica: about.replica,
    state,
    pid: pid ?? null,
    port: about.port,
    adminPort: about.adminPort ?? null,
    readySince: readySince === undefined ? null : new Date(readySince).toISOString(),
    crashes,
    lastEnd: lastEnd ?? null,
    logFile: about.logFile,
  };
}
