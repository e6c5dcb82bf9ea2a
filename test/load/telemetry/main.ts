/** `npm run bench:telemetry`: what spans and numbers add to a call. README.md tells how to read it. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "#local/free-port.ts";
import { DESCRIPTORS, scenarios } from "../edge/contract/books.ts";
import { cpuMicros } from "../edge/cpu-time.ts";
import { createIdentities } from "../edge/identities.ts";
import { checkReply, Load, median, requestBytes } from "../edge/measure.ts";
import { type ServerProcess, startServer } from "../edge/processes.ts";
import { Caller } from "../rpc/caller.ts";
import { createKeys } from "../rpc/identities.ts";

const { values } = parseArgs({
  options: {
    lives: { type: "string", default: "3" },
    rounds: { type: "string", default: "7" },
    calls: { type: "string", default: "4000" },
  },
});
/** How often all processes begin anew: what a compiler made of one is a matter of luck, and stays so for its life. */
const lives = Number(values.lives);
const rounds = Number(values.rounds);
const calls = Number(values.calls);
const warmUp = 15_000;

/** How telemetry is set, and how many per cent of the traces that costs. */
const ways = [
  { name: "off", env: { BENCH_TELEMETRY: "off" }, sampled: 1 },
  { name: "default, 1 %", env: {}, sampled: 1 },
  { name: "all, 100 %", env: { WEFT_TRACE_RATIO: "1" }, sampled: 100 },
];

interface Measured {
  readonly name: string;
  readonly pid: number;
  readonly make: (calls: number) => Promise<void>;
  readonly samples: number[];
}

let started: ServerProcess[] = [];
let callers: Caller[] = [];
const load = new Load();
const identities = await createIdentities();
try {
  const all: { service: Measured[]; edge: Measured[] }[] = [];
  for (let life = 0; life < lives; life++) {
    all.push(await measure());
    await stopAll();
  }
  print(
    "a service's unary call",
    all.map(({ service }) => service),
  );
  print(
    "GET at the edge",
    all.map(({ edge }) => edge),
  );
} finally {
  load.stop();
  await stopAll();
  await identities.stop();
}

/** One life of every process. */
async function measure(): Promise<{ service: Measured[]; edge: Measured[] }> {
  const collector = await serve("collector.ts", {});
  const sent = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}` };
  const service = await services(sent);
  const edge = await edges(sent);
  for (let round = -1; round < rounds; round++) {
    for (const { pid, make, samples } of [...service, ...edge]) {
      const count = round < 0 ? warmUp : calls;
      const before = cpuMicros(pid);
      await make(count);
      if (round >= 0) samples.push((cpuMicros(pid) - before) / count);
    }
  }
  return { service, edge };
}

async function stopAll(): Promise<void> {
  for (const caller of callers) caller.stop();
  for (const server of started) await server.stop();
  callers = [];
  started = [];
}

async function serve(program: string, env: NodeJS.ProcessEnv): Promise<ServerProcess> {
  const command = [process.execPath, join(import.meta.dirname, program)];
  const server = await startServer(command, await freePort(), env);
  started.push(server);
  return server;
}

async function services(sent: Record<string, string>): Promise<Measured[]> {
  const keys = await createKeys(false);
  return inTurn(async ({ name, env, sampled }) => {
    const server = await serve("service.ts", { ...keys, ...sent, ...env });
    const caller = new Caller("../../telemetry/client.ts", server.port, {
      ...keys,
      BENCH_SAMPLED: String(sampled),
    });
    callers.push(caller);
    return { name, pid: server.pid, make: (count) => caller.make(count), samples: [] };
  });
}

async function edges(sent: Record<string, string>): Promise<Measured[]> {
  const upstream = await serve("../edge/library-upstream.ts", {});
  const authorization = await identities.authorization();
  const scenario = scenarios[0]!;
  const request = requestBytes(scenario, authorization);
  return inTurn(async ({ name, env }) => {
    const server = await serve("edge.ts", {
      ...identities.env,
      ...sent,
      ...env,
      WEFT_DESCRIPTORS: DESCRIPTORS,
      WEFT_UPSTREAMS: `library=http://127.0.0.1:${upstream.port}`,
      NATS_URL: "nats://127.0.0.1:1",
    });
    await checkReply(server, scenario, authorization);
    const make = async (count: number) => void (await load.cpuPerRequest(server, request, count));
    return { name, pid: server.pid, make, samples: [] };
  });
}

async function inTurn(start: (way: (typeof ways)[number]) => Promise<Measured>): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const way of ways) measured.push(await start(way));
  return measured;
}

/** @param measured by life and way */
function print(what: string, measured: readonly (readonly Measured[])[]): void {
  console.log(
    `\nCPU µs of ${what}: median of ${lives} × ${rounds} rounds of ${calls}, and what it is more within a round`,
  );
  for (const [way, { name }] of ways.entries()) {
    const samples = measured.flatMap((life) => life[way]!.samples);
    const mores = measured.map((life) =>
      life[way]!.samples.map((micros, round) => more(micros, life[0]!.samples[round]!)),
    );
    const range = `${Math.min(...samples).toFixed(1)}–${Math.max(...samples).toFixed(1)}`;
    const figures = `${name.padEnd(16)}${median(samples).toFixed(1).padStart(7)}  (${range})`;
    const byLife = mores.map((life) => median(life).toFixed(1)).join(", ");
    console.log(
      `  ${figures.padEnd(44)}${median(mores.flat()).toFixed(1).padStart(6)} %  (by life: ${byLife})`,
    );
  }
}

function more(micros: number, off: number): number {
  return (micros / off - 1) * 100;
}
