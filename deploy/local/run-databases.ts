import { join } from "node:path";
import { ensureDatabase } from "./databases.ts";
import { type Postgres, postgresStopSignal, startPostgres } from "./postgres.ts";
import { openRotatingLog } from "./rotating-log.ts";
import { type Run, startParts } from "./run.ts";

/**
 * Starts PostgreSQL and gives each service its database; services with a
 * DATABASE_URL_<SERVICE> keep theirs, and if no service needs one nothing is started.
 * Where there is no service yet, the server waits for the first.
 *
 * @param passwordOf password of a service's role
 * @returns the database URL of each service that has a database
 */
export async function startDatabases(
  run: Run,
  passwordOf: (service: string) => string,
): Promise<Map<string, string>> {
  const { system, options, places, output } = run;
  const urls = new Map(options.databaseUrls);
  for (const service of urls.keys()) output.done("database", `${service}: yours`);
  const wanted = system.services.filter(({ name, database }) => database && !urls.has(name));
  if (wanted.length === 0 && system.services.length > 0) return urls;

  const began = Date.now();
  const { adminUrl, folder } = await startServer(run);
  const made = wanted.map(async ({ name: service }) => {
    urls.set(service, await ensureDatabase({ adminUrl, service, password: passwordOf(service) }));
  });
  await Promise.all(made);
  const elsewhere = folder.startsWith(options.dataDir) ? "" : `, data in ${folder}`;
  output.done(
    "PostgreSQL",
    `port ${places.port("postgres")}, ${wanted.length} databases${elsewhere}`,
    Date.now() - began,
  );
  return urls;
}

async function startServer(run: Run): Promise<Postgres> {
  const { options, places, leash, started } = run;
  const logFile = join(options.dataDir, "logs", "postgres.log");
  const log = openRotatingLog(logFile);
  started.others.push(() => log.close());
  let server: Postgres | undefined;
  const start = async () => {
    server = await startPostgres({
      dataDir: join(options.dataDir, "postgres"),
      port: places.port("postgres"),
      log: (line) => log.write(`${line}\n`),
      onSpawn: (pid) => leash.hold("postgres", pid, postgresStopSignal),
    });
    void server.exited.then(() => leash.release("postgres"));
    return server;
  };
  const about = {
    kind: "server" as const,
    service: "postgres",
    replica: 1,
    port: places.port("postgres"),
    logFile,
  };
  await startParts(run, [{ name: "postgres", about, start }])[0]!.ready;
  return server!;
}
