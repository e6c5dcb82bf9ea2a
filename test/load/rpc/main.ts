/** CPU time of unary calls, server and client side. See README.md. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "#local/free-port.ts";
import { cpuMicros } from "../edge/cpu-time.ts";
import { median } from "../edge/measure.ts";
import { type ServerProcess, startServer } from "../edge/processes.ts";
import { Caller } from "./caller.ts";
import { createKeys } from "./identities.ts";

const WARM_UP = 8_000;

interface Contestant {
  readonly name: string;
  readonly program: string;
  readonly interceptors?: boolean;
}

/** The first is the floor, the second the peer that ratios are about. */
const contestants: readonly Contestant[] = [
  { name: "bare node:http2", program: "bare.ts" },
  { name: "grpc-js", program: "grpc-js.ts" },
  { name: "weft, all interceptors", program: "weft.ts", interceptors: true },
  { name: "weft, none", program: "weft.ts" },
  { name: "Connect's own", program: "connect.ts" },
];

interface Measured {
  readonly name: string;
  /** Process whose CPU time counts. */
  readonly pid: number;
  readonly caller: Caller;
  readonly samples: number[];
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    calls: { type: "string" },
    only: { type: "string", multiple: true },
    tls: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds ?? 3);
const calls = Number(values.calls ?? 8_000);
const keys = await createKeys(values.tls);
const chosen = contestants.filter(
  ({ name }, i) => i < 2 || !values.only || values.only.some((part) => name.includes(part)),
);

const servers: ServerProcess[] = [];
const callers: Caller[] = [];
try {
  const collector = await serve("../../telemetry/collector.ts", {});
  Object.assign(keys, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}` });
  const floor = await serve("bare.ts", keys);
  const serverSide: Measured[] = [];
  const clientSide: Measured[] = [];
  for (const { name, program, interceptors } of chosen) {
    const env = { ...keys, BENCH_INTERCEPTORS: interceptors ? "on" : "off" };
    const server = await serve(program, env);
    serverSide.push({ name, pid: server.pid, caller: call("bare.ts", server.port, keys), samples: [] });
    const caller = call(program, floor.port, env);
    clientSide.push({ name, pid: caller.pid, caller, samples: [] });
  }
  await measure([...serverSide, ...clientSide]);
  print("server", serverSide);
  print("client", clientSide);
} finally {
  for (const caller of callers) caller.stop();
  for (const server of servers) await server.stop();
}

async function serve(program: string, env: NodeJS.ProcessEnv): Promise<ServerProcess> {
  const command = [process.execPath, join(import.meta.dirname, "servers", program)];
  const server = await startServer(command, await freePort(), env);
  servers.push(server);
  return server;
}

function call(program: string, port: number, env: Record<string, string>): Caller {
  const caller = new Caller(program, port, env);
  callers.push(caller);
  return caller;
}

/** In turns, so that whatever else the machine does strikes all alike. */
async function measure(all: readonly Measured[]): Promise<void> {
  for (let round = -1; round < rounds; round++) {
    for (const { pid, caller, samples } of all) {
      const count = round < 0 ? WARM_UP : calls;
      const before = cpuMicros(pid);
      await caller.make(count);
      if (round >= 0) samples.push((cpuMicros(pid) - before) / count);
    }
  }
}

function print(side: string, measured: readonly Measured[]): void {
  const [floor, peer] = measured as [Measured, Measured];
  console.log(
    `\nCPU µs a unary call, ${side} side${values.tls ? ", mutual TLS" : ""}: median of ${rounds} rounds of ${calls} calls, in turns, and of the ratios within a round`,
  );
  for (const { name, samples } of measured) {
    const micros = median(samples);
    const ratio = (to: Measured) => median(samples.map((one, round) => one / to.samples[round]!)).toFixed(2);
    const range = `${Math.min(...samples).toFixed(1)}–${Math.max(...samples).toFixed(1)}`;
    console.log(
      `  ${name.padEnd(24)}${micros.toFixed(1).padStart(7)}  (${range})`.padEnd(50) +
        `${ratio(peer)}× grpc-js   ${ratio(floor)}× bare`,
    );
  }
}
