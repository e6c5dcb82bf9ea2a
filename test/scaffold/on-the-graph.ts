import { setTimeout as sleep } from "node:timers/promises";
import { system } from "#local/system.ts";
import { placesFor } from "#local/topology.ts";
import { pickPortOffset } from "../system/runner-process.ts";
import type { Copy } from "./copy.ts";
import { start, stop } from "./start.ts";

/** Limit in milliseconds, which only ends a hang: usually the dashboard shows what runs within two seconds. */
const within = 120_000;

/**
 * Starts the whole system of a copy, and ends it again.
 * @throws Error when the dashboard does not show one of the services, running, two minutes after the start
 */
export async function seenOnTheGraph(copy: Copy, services: readonly string[]): Promise<void> {
  const places = placesFor(system, 0);
  // The copy's ports are these, and those of its new services behind the last.
  const ports = places.all.map(({ port }) => port);
  const offset = await pickPortOffset([
    ...ports,
    ...services.map((_, index) => places.port("email") + 1 + index),
  ]);
  const running = await start(copy, offset);
  try {
    const began = Date.now();
    const url = `http://127.0.0.1:${places.port("dashboard") + offset}/weft.dashboard.v1.DashboardService`;
    const ask = async (method: string) => {
      const headers = { "content-type": "application/json", "x-weft-dashboard": "1" };
      const reply = await fetch(`${url}/${method}`, { method: "POST", headers, body: "{}" });
      return reply.text();
    };
    const seen = async () => {
      const [graph, processes] = await Promise.all([ask("GetTopology"), ask("ListProcesses")]);
      return {
        graph,
        processes,
        all: services.every((name) => isReady(processes, name) && isOn(graph, name)),
      };
    };
    let last = await seen();
    while (!last.all) {
      if (Date.now() - began > within) throw new Error(`not on the graph: ${JSON.stringify(last)}`);
      await sleep(500);
      last = await seen();
    }
    console.log(`${services.join(", ")} on the graph after ${((Date.now() - began) / 1_000).toFixed(1)} s`);
  } finally {
    await stop(running);
  }
}

function isReady(processes: string, name: string): boolean {
  const list = (JSON.parse(processes) as { processes?: { name: string; state: string }[] }).processes ?? [];
  return list.some((each) => each.name === name && each.state === "READY");
}

function isOn(graph: string, name: string): boolean {
  const { nodes = [] } = JSON.parse(graph) as { nodes?: { name: string }[] };
  return nodes.some((node) => node.name === name);
}
