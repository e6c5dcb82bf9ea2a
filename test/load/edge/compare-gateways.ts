import { contestants, type Surroundings } from "./contestants.ts";
import { type Scenario, scenarios } from "./contract/books.ts";
import { Missing } from "./gateways/missing.ts";
import { CONNECTIONS, checkReply, Load, median, requestBytes } from "./measure.ts";
import type { ServerProcess } from "./processes.ts";

interface Runner {
  readonly name: string;
  readonly does: string;
  readonly gateway: ServerProcess;
  /** Scenario name → CPU microseconds a request, one for each round. */
  readonly samples: Map<string, number[]>;
}

/**
 * Measures every gateway on every scenario, in turns, and prints a table with ratios to the first one.
 * @param options.warmUp requests before anything is counted, for compilers and connections
 * @param options.only names (or parts of them) to keep; all when empty. The floor is always in.
 */
export async function compareGateways(
  surroundings: Surroundings,
  options: { rounds: number; requests: number; warmUp: number; only: readonly string[] },
): Promise<void> {
  const { rounds, requests, warmUp, only } = options;
  const authorization = await surroundings.identities.authorization();
  const { runners, skipped } = await startAll(surroundings, authorization, only);
  const load = new Load();
  try {
    for (let round = -1; round < rounds; round++) {
      for (const scenario of scenarios) {
        for (const runner of runners) {
          const count = round < 0 ? warmUp : requests;
          const cpu = await load.cpuPerRequest(runner.gateway, requestBytes(scenario, authorization), count);
          if (round >= 0) samplesOf(runner, scenario).push(cpu);
        }
      }
    }
  } finally {
    load.stop();
    for (const { gateway } of runners) await gateway.stop();
  }
  console.log(
    `CPU µs a request of the gateway's process, median of ${rounds} rounds in turns (lowest–highest), ` +
      `and as a multiple of the floor.\n${requests} requests a round over ${CONNECTIONS} keep-alive connections; ` +
      "upstream and load in processes of their own.\n",
  );
  print(runners);
  for (const line of skipped) console.log(line);
  console.log("\nWhat each does beside forwarding:");
  for (const { name, does } of runners) console.log(`  ${name}: ${does}`);
}

async function startAll(
  surroundings: Surroundings,
  authorization: string,
  only: readonly string[],
): Promise<{ runners: Runner[]; skipped: string[] }> {
  const runners: Runner[] = [];
  const skipped: string[] = [];
  for (const [i, contestant] of contestants.entries()) {
    const { name, does, transcodes } = contestant;
    if (i > 0 && only.length > 0 && !only.some((part) => name.toLowerCase().includes(part))) continue;
    try {
      const gateway = await contestant.start(surroundings);
      if (transcodes) for (const scenario of scenarios) await checkReply(gateway, scenario, authorization);
      runners.push({ name, does, gateway, samples: new Map() });
    } catch (error) {
      if (!(error instanceof Missing)) {
        for (const { gateway } of runners) await gateway.stop();
        throw error;
      }
      skipped.push(`${name}: skipped: ${error.message}`);
    }
  }
  return { runners, skipped };
}

function samplesOf({ samples }: Runner, { name }: Scenario): number[] {
  const known = samples.get(name) ?? [];
  samples.set(name, known);
  return known;
}

function print(runners: readonly Runner[]): void {
  const floor = runners[0]!;
  console.log(["".padEnd(24), ...scenarios.map(({ name }) => name.padEnd(28))].join(""));
  for (const runner of runners) {
    const cells = scenarios.map((scenario) => {
      const samples = samplesOf(runner, scenario);
      const cpu = median(samples);
      const ratio = cpu / median(samplesOf(floor, scenario));
      const range = `${Math.min(...samples).toFixed(0)}–${Math.max(...samples).toFixed(0)}`;
      return `${cpu.toFixed(1).padStart(6)} ×${ratio.toFixed(2)} (${range})`.padEnd(28);
    });
    console.log(runner.name.padEnd(24) + cells.join(""));
  }
}
