// Built-in modules and plain syntax only: this runs before anything is installed, on whatever Node there is.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { packagedNode } from "./node.mjs";
import { modules, root } from "./places.mjs";
import { ended, forwardSignals, isAlive, Refused, readOr } from "./processes.mjs";

const stamp = path.join(modules, ".weft-installed");
const installLog = path.join(root, ".weft", "logs", "npm-ci.log");
const installLock = path.join(root, ".weft", "npm-ci.pid");

function lockDigest() {
  const hash = createHash("sha256");
  for (const file of ["package.json", "package-lock.json"])
    hash.update(fs.readFileSync(path.join(root, file)));
  return hash.update(`${process.platform}-${process.arch}`).digest("hex");
}

/** Whether node_modules is what the lock file says. The stamp is written after a whole install only, so a broken one does not count. */
export function isInstalled() {
  if (readOr(stamp) === lockDigest()) return true;
  if (!matchesLock()) return false;
  fs.writeFileSync(stamp, lockDigest());
  return true;
}

/** For those who ran npm themselves: npm notes what it installed when it is done. */
function matchesLock() {
  const wanted = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const note = readOr(path.join(modules, ".package-lock.json"));
  if (note === undefined || !packagedNode()) return false;
  const present = JSON.parse(note).packages;
  return Object.keys(wanted).every((name) => {
    if (name === "") return true;
    if (!present[name]) return wanted[name].optional === true; // another platform's
    return present[name].version === wanted[name].version;
  });
}

/**
 * Installs what the lock file says.
 *
 * @throws Refused with the end of npm's output
 */
export async function install() {
  const release = await lockInstall();
  try {
    if (isInstalled()) return; // by the one we waited for
    fs.mkdirSync(path.dirname(installLog), { recursive: true });
    const began = Date.now();
    const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
    const stop = showProgress(
      () => `… installing packages with npm ci, usually below a minute: ${seconds()}`,
    );
    const { code, signal } = await npmCi();
    stop();
    if (signal)
      throw new Refused(`✗ installing packages was interrupted (${signal}); the next start begins again`);
    if (code !== 0) throw new Refused(explainInstall(code));
    fs.writeFileSync(stamp, lockDigest());
    console.log(`✓ packages installed (${seconds()})`);
  } finally {
    release();
  }
}

/** Everything is asked for explicitly: a NODE_ENV=production or ignore-scripts of the machine would leave half of it out. */
async function npmCi() {
  const args = [
    "ci",
    "--include=dev",
    "--include=optional",
    "--ignore-scripts=false",
    "--no-audit",
    "--no-fund",
  ];
  const log = fs.openSync(installLog, "w");
  const npm = process.env.npm_execpath;
  const viaNode = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm);
  const child = viaNode
    ? spawn(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", log, log] })
    : spawn("npm", args, { cwd: root, stdio: ["ignore", log, log], shell: process.platform === "win32" });
  fs.closeSync(log);
  const forward = forwardSignals(child);
  try {
    return await ended(child);
  } finally {
    forward.stop();
  }
}

/** The reason stands at the beginning of what npm calls errors; the rest of its output is warnings and help. */
function explainInstall(code) {
  const lines = readOr(installLog, "")
    .split("\n")
    .filter((line) => /^npm err(or|!)\s+\S/i.test(line));
  const reason = lines.slice(0, 12);
  return [
    `✗ npm ci failed (exit code ${code}); all of its output is in ${path.relative(process.cwd(), installLog)}`,
    ...reason.map((line) => `    ${line}`),
    "  Is the package registry reachable, and is there 1 GB of disk? Then run the same command again.",
  ].join("\n");
}

/** Several commands at once on a clean clone: the others wait for the first one's packages. */
async function lockInstall() {
  fs.mkdirSync(path.dirname(installLock), { recursive: true, mode: 0o711 });
  for (let told = false; ; ) {
    try {
      fs.writeFileSync(installLock, String(process.pid), { flag: "wx" });
      return () => fs.rmSync(installLock, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = holderOfLock();
    if (holder !== undefined && !isAlive(holder)) {
      takeAway(holder);
      continue;
    }
    if (!told && holder) console.log(`… waiting for process ${holder}, which is installing packages`);
    told ||= holder !== undefined;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Process that has the lock; undefined while it writes itself down, which takes no time: 0 for one that never did. */
function holderOfLock() {
  try {
    const text = fs.readFileSync(installLock, "utf8");
    if (text === "" && Date.now() - fs.statSync(installLock).mtimeMs < 5_000) return undefined;
    return Number(text);
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes the lock of a process that has died, and no other: somebody may have removed that, and locked, before. */
function takeAway(holder) {
  const aside = `${installLock}.${process.pid}`;
  try {
    fs.renameSync(installLock, aside);
    const text = readOr(aside, "");
    fs.rmSync(aside);
    if (Number(text) !== holder) fs.writeFileSync(installLock, text, { flag: "wx" });
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  }
}

function showProgress(text) {
  const live = process.stdout.isTTY;
  const show = () => process.stdout.write(live ? `\r${text()}\x1b[K` : `${text()}\n`);
  show();
  const timer = setInterval(show, live ? 1000 : 15000);
  return () => {
    clearInterval(timer);
    if (live) process.stdout.write("\r\x1b[K");
  };
}
