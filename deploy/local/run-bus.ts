import { join } from "node:path";
import { operatorRights } from "#mesh/runtime/events/bus-rights.ts";
import { busUses, eventSubjects } from "./bus-uses.ts";
import { findNatsServer } from "./find-nats-server.ts";
import { type Nats, type NatsUser, natsStopSignal, startNats } from "./nats.ts";
import { natsUsers } from "./nats-users.ts";
import type { Output } from "./output.ts";
import { openRotatingLog } from "./rotating-log.ts";
import { type Run, startParts } from "./run.ts";
import { processNames } from "./topology.ts";

/**
 * Starts nats-server with a user for each service, unless NATS_URL names another one.
 *
 * @param passwordOf password of a service's user
 * @returns the URL of the bus for a service
 */
export async function startBus(
  run: Run,
  passwordOf: (service: string) => string,
): Promise<(service: string) => string> {
  const { system, options, places, output, root } = run;
  const { natsUrl } = options;
  if (natsUrl !== undefined) {
    output.done("NATS", "yours");
    return () => natsUrl;
  }
  const { binary, version } = await findNatsServer({
    cacheDir: join(root, ".weft", "bin"),
    say: searchReport(output),
  });
  const began = Date.now();
  const contract = join(root, system.descriptors);
  const uses = busUses(
    contract,
    processNames(system),
    system.tokens.keys?.service,
    passwordOf,
    options.faults,
  );
  const users = [
    ...natsUsers(uses),
    {
      name: "operator",
      password: passwordOf("operator"),
      ...operatorRights(eventSubjects(contract), options.faults),
    },
  ];
  const server = await startServer(run, binary, users);
  output.done("NATS", `port ${places.port("nats")}, nats-server ${version} (${binary})`, Date.now() - began);
  return (service) => server.urlFor(users.find(({ name }) => name === service)!);
}

/** Where the server is on every start is one line; only a search that has to fetch something is told step by step. */
function searchReport(output: Output): (place: string, outcome: string) => void {
  const looked: string[] = [];
  let fetching = false;
  return (place, outcome) => {
    looked.push(`nats-server: ${place}: ${outcome}`);
    fetching ||= outcome.startsWith("trying");
    if (fetching) for (const line of looked.splice(0)) output.note(line);
  };
}

async function startServer(run: Run, binary: string, users: NatsUser[]): Promise<Nats> {
  const { options, places, leash, started } = run;
  const logFile = join(options.dataDir, "logs", "nats.log");
  const log = openRotatingLog(logFile);
  started.others.push(() => log.close());
  let server: Nats | undefined;
  const start = async () => {
    server = await startNats({
      binary,
      dataDir: join(options.dataDir, "nats"),
      port: places.port("nats"),
      accounts: [{ name: "WEFT", users }],
      log: (line) => log.write(`${line}\n`),
      onSpawn: (pid) => leash.hold("nats", pid, natsStopSignal),
    });
    void server.exited.then(() => leash.release("nats"));
    return server;
  };
  const about = { kind: "server" as const, service: "nats", replica: 1, port: places.port("nats"), logFile };
  await startParts(run, [{ name: "nats", about, start }])[0]!.ready;
  return server!;
}
