import { join } from "node:path";
import { startControl } from "./control/server.ts";
import { steer } from "./control/steer.ts";
import { ensureTokenKeys } from "./development-tokens.ts";
import { environmentsFor } from "./environments.ts";
import { type Identities, openIdentities } from "./identities.ts";
import { buildImplementations } from "./implementations/build.ts";
import { startInbox } from "./inbox.ts";
import { ensurePasswords } from "./passwords.ts";
import { processesOf, type Run } from "./run.ts";
import { startBus } from "./run-bus.ts";
import { startDashboard } from "./run-dashboard.ts";
import { startDatabases } from "./run-databases.ts";
import { startServices } from "./run-services.ts";
import { processNames } from "./topology.ts";

/**
 * Starts servers, databases, services and the edge, and waits until all are ready.
 *
 * @throws Error with the reason; what was started by then is in `run.started`.
 */
export async function startSystem(run: Run): Promise<void> {
  const { system, options, places, root } = run;
  const names = processNames(system);
  const passwordOf = ensurePasswords(options.dataDir, [
    ...names.flatMap((name) => [`database/${name}`, `bus/${name}`]),
    "bus/operator",
  ]);
  const identities = await openIdentities(join(options.dataDir, "identity"), system.trustDomain);
  // The operator is whoever runs this; cli/ and the dashboard call services with its certificate.
  await Promise.all([...names, "operator"].map((name) => identities.issue(name)));
  keepRenewed(run, identities);
  const [databaseUrls, natsUrl] = await Promise.all([
    startDatabases(run, (service) => passwordOf(`database/${service}`)),
    startBus(run, (service) => passwordOf(`bus/${service}`)),
    startMail(run),
    buildImplementations(run),
  ]);
  const databaseUrl = (service: string) => databaseUrls.get(service);
  const tokenKeysUrl = system.tokens.keys ? undefined : ensureTokenKeys(options.dataDir);
  const environments = environmentsFor(system, {
    places,
    identities,
    root,
    natsUrl,
    databaseUrl,
    tokenKeysUrl,
    faults: options.faults,
  });
  const services = await startServices(run, environments, identities);
  const control = await startControl(options.dataDir, steer(run, services));
  run.started.others.push(() => control.stop());
  run.listeners.add(() => control.changed());
  await startDashboard(run, { identities, natsUrl: natsUrl("operator") });
}

/** Between two looks at what is to be renewed, in milliseconds: a machine may have slept long. */
const renewEvery = 60_000;

function keepRenewed({ output, started }: Run, identities: Identities): void {
  const renew = () =>
    identities.renew().catch((error: Error) => output.warn(`certificates are not renewed: ${error.message}`));
  const timer = setInterval(renew, renewEvery);
  started.others.push(() => clearInterval(timer));
}

async function startMail({ options, places, output, started }: Run): Promise<void> {
  const inbox = await startInbox({ folder: join(options.dataDir, "inbox"), port: places.port("inbox") });
  started.others.push(() => inbox.stop());
  output.done("mail inbox", `port ${inbox.port}`);
}

/** Process id of each running process, by name. */
export function runningPids(run: Run): Record<string, number> {
  const running = processesOf(run).filter(({ pid }) => pid !== undefined);
  return Object.fromEntries(running.map(({ name, pid }) => [name, pid!]));
}
