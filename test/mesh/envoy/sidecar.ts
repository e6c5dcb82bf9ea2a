/** A generated sidecar on this machine: the same file with other ports, addresses and folders. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { freePort } from "#local/free-port.ts";

export interface Sidecar {
  /** Ports by listener: "inbound", "to-CALLEE". */
  readonly ports: ReadonlyMap<string, number>;
  /** Value of one of Envoy's counters or gauges. */
  stat(name: string): Promise<number>;
  stop(): Promise<void>;
}

export async function startSidecar(options: {
  envoy: string;
  folder: string;
  /** Generated files by name. */
  files: ReadonlyMap<string, string>;
  name: string;
  tls: string;
  processPort: number;
  /** Ports of the inbound listeners of each callee's replicas. */
  replicasOf: (callee: string) => readonly number[];
}): Promise<Sidecar> {
  const { envoy, files, name, tls, processPort, replicasOf } = options;
  const folder = join(options.folder, `${name}-${await freePort()}`);
  mkdirSync(join(folder, "sds"), { recursive: true });
  const local = (text: string) => text.replaceAll("/etc/weft/envoy", folder).replaceAll("/etc/weft/tls", tls);
  for (const file of ["sds/identity.yaml", "sds/trust.yaml"])
    writeFileSync(join(folder, file), local(files.get(file)!));

  const config = parse(local(files.get(`${name}.yaml`)!));
  const admin = await freePort();
  config.admin.address.socket_address.port_value = admin;
  const ports = new Map<string, number>();
  for (const listener of config.static_resources.listeners) {
    const port = await freePort();
    listener.address.socket_address = { address: "127.0.0.1", port_value: port };
    ports.set(listener.name, port);
  }
  for (const cluster of config.static_resources.clusters) {
    const [{ lb_endpoints: lead }] = cluster.load_assignment.endpoints;
    const host: string = lead[0].endpoint.address.socket_address.address;
    const to = cluster.name === "process" ? [processPort] : replicasOf(host.split(".")[0]!);
    const endpoint = (port: number) => ({
      endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
    });
    cluster.load_assignment.endpoints = [{ lb_endpoints: to.map(endpoint) }];
  }
  const file = join(folder, "envoy.yaml");
  writeFileSync(file, stringify(config));

  const args = ["-c", file, "--concurrency", "1", "--use-dynamic-base-id", "-l", "error"];
  const child = spawn(envoy, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log = `${log}${chunk}`.slice(-4_000);
  });
  const page = async (path: string) => (await fetch(`http://127.0.0.1:${admin}${path}`)).text();
  for (let live = false; !live; ) {
    if (child.exitCode !== null) throw new Error(`envoy of ${name} ended: ${log}`);
    live = await page("/ready").then(
      (text) => text.startsWith("LIVE"),
      () => false,
    );
  }
  return {
    ports,
    async stat(stat) {
      const text = await page(`/stats?filter=${encodeURIComponent(stat)}`);
      return Number(/: (\d+)/.exec(text)?.[1] ?? Number.NaN);
    },
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}
