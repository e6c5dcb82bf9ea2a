import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * PostgreSQL refuses to run as root, rightly. When root starts the system, the
 * database runs as "nobody", and what it needs must lie where nobody may go.
 */
export type Account = { uid: number; gid: number };

/**
 * The account to run the database under; undefined when we are not root and simply run it ourselves.
 *
 * @throws Error if we are root and the system has no account called nobody.
 */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("nobody:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (!uid || !gid) {
    throw new Error(
      "PostgreSQL does not run as root and this system has no account called nobody. " +
        "Start as an ordinary user, or set DATABASE_URL_<SERVICE> to a server of yours.",
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** Whether the account can run this program. Asked of the system itself: mode bits do not tell of ACLs and mount options. */
export function canRun(program: string, account: Account): boolean {
  return spawnSync(program, ["--version"], { ...account, cwd: "/", stdio: "ignore" }).status === 0;
}

/** Whether the account can enter and write this folder. */
export function canUse(folder: string, account: Account): boolean {
  const test = ["-c", 'cd "$1" && test -w .', "sh", folder];
  return spawnSync("/bin/sh", test, { ...account, cwd: "/", stdio: "ignore" }).status === 0;
}

/**
 * A folder that root owns, others may enter but not write, and that outlives a
 * restart of the machine: a place for what cannot stay in a private checkout.
 *
 * @param name of the folder; may be nested
 * @throws Error if the place exists but is not root's alone
 */
export function publicPlace(name: string): string {
  const base = ["/var/lib", "/var/tmp"].find((folder) => existsSync(folder)) ?? "/tmp";
  let place = join(base, "weft");
  ownFolder(place);
  for (const part of name.split("/")) {
    place = join(place, part);
    ownFolder(place);
  }
  return place;
}

/**
 * The public place that stands in for a folder the account cannot reach. Places
 * that stood in for temporary folders which are gone by now are cleared away.
 */
export function placeFor(folder: string): string {
  const all = publicPlace("data");
  for (const name of readdirSync(all)) {
    const standsFor = readlinkOr(join(all, name, "stands-for"));
    if (standsFor?.startsWith(tmpdir()) && !existsSync(standsFor))
      rmSync(join(all, name), { recursive: true });
  }
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  const place = publicPlace(`data/${name}`);
  if (readlinkOr(join(place, "stands-for")) === undefined) symlinkSync(folder, join(place, "stands-for"));
  return place;
}

/** Copies a tree of programs to a public place, once; an interrupted copy leaves nothing behind that is taken for whole. */
export function copyPrograms(from: string, name: string): string {
  const target = join(publicPlace("programs"), name);
  if (existsSync(target)) {
    refuseForeign(target);
    return target;
  }
  const half = `${target}.${process.pid}`;
  cpSync(from, half, { recursive: true, verbatimSymlinks: true });
  openForReading(half);
  try {
    renameSync(half, target);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // else another start was quicker
  }
  return target;
}

function readlinkOr(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function ownFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755); // whatever the umask
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  refuseForeign(folder);
}

function refuseForeign(folder: string): void {
  const { uid, mode } = lstatSync(folder);
  const isFolder = (mode & 0o170000) === 0o040000;
  if (isFolder && uid === process.getuid?.() && (mode & 0o022) === 0) return;
  throw new Error(
    `${folder} must be a folder that only root can write: look at it, then remove it and start again.`,
  );
}

function openForReading(path: string): void {
  const { mode } = lstatSync(path);
  const kind = mode & 0o170000;
  if (kind === 0o120000) return; // a link's own mode means nothing
  chmodSync(path, kind === 0o040000 || mode & 0o100 ? 0o755 : 0o644);
  if (kind === 0o040000) for (const entry of readdirSync(path)) openForReading(join(path, entry));
}
