import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Fetch, fromOfficialRelease, NotPossible } from "./fetch-nats-server.ts";
import { findNatsServer } from "./find-nats-server.ts";

let folder: string;
let said: string[];
const say = (place: string, outcome: string) => said.push(`${place}: ${outcome}`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-find-"));
  said = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that answers --version like nats-server does. */
function serverIn(place: string, version: string): string {
  mkdirSync(place, { recursive: true });
  const file = join(place, "nats-server");
  writeFileSync(file, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  chmodSync(file, 0o755);
  return file;
}

const refuses: Fetch = async () => {
  throw new NotPossible("no network");
};

test("NATS_SERVER_BIN goes before everything", async () => {
  const wish = serverIn(join(folder, "wish"), "2.15.0");
  serverIn(join(folder, "path"), "2.14.0");
  const env = { NATS_SERVER_BIN: wish, PATH: join(folder, "path") };
  expect(await findNatsServer({ cacheDir: folder, say, env })).toEqual({ binary: wish, version: "2.15.0" });
});

test("a NATS_SERVER_BIN that is none is an error, not a reason to take another", async () => {
  serverIn(join(folder, "path"), "2.14.0");
  const env = { NATS_SERVER_BIN: join(folder, "missing"), PATH: join(folder, "path") };
  await expect(findNatsServer({ cacheDir: folder, say, env })).rejects.toThrow(
    /NATS_SERVER_BIN is .*missing: not a program/,
  );
});

test("PATH goes before the cache, and one that is too old is passed over", async () => {
  const env = { PATH: join(folder, "path") };
  serverIn(join(folder, "path"), "2.9.9");
  const cached = serverIn(join(folder, "cache"), "2.10.0");
  expect((await findNatsServer({ cacheDir: join(folder, "cache"), say, env })).binary).toBe(cached);
  expect(said[1]).toMatch(/^PATH: .* is 2\.9\.9, older than 2\.9\.10/);

  const found = serverIn(join(folder, "path"), "2.9.10");
  expect((await findNatsServer({ cacheDir: join(folder, "cache"), say, env })).binary).toBe(found);
});

test("ways to fetch are tried in order, each is said, and what is fetched stays in the cache", async () => {
  const cacheDir = join(folder, "cache");
  const works: Fetch = async (place) => serverIn(place, "2.14.5");
  const never: Fetch = async () => {
    throw new Error("not to be tried");
  };
  const ways: [string, Fetch][] = [
    ["a release", refuses],
    ["a compiler", works],
    ["a package", never],
  ];
  const env = { PATH: "" };
  expect(await findNatsServer({ cacheDir, say, env, ways })).toEqual({
    binary: join(cacheDir, "nats-server"),
    version: "2.14.5",
  });
  expect(said).toEqual([
    "NATS_SERVER_BIN: not set",
    "PATH: none",
    `the cache ${cacheDir}: none`,
    expect.stringContaining("a release: trying"),
    "a release: no network",
    expect.stringContaining("a compiler: trying"),
    `a compiler: 2.14.5 at ${join(cacheDir, "nats-server")}`,
  ]);
  expect(readdirSync(cacheDir)).toEqual(["nats-server"]);
  await findNatsServer({ cacheDir, say, env, ways: [["a release", never]] });
});

test("if there is none anywhere, the reader is told what to do", async () => {
  const search = findNatsServer({ cacheDir: folder, say, env: { PATH: "" }, ways: [["a release", refuses]] });
  await expect(search).rejects.toThrow(/Install one .* set NATS_SERVER_BIN .* or set NATS_URL/);
});

test("an archive that is not the pinned one is refused", async () => {
  const realFetch = globalThis.fetch;
  globalThis.fetch = async () => new Response("something else");
  try {
    await expect(fromOfficialRelease(folder)).rejects.toThrow("not the pinned one");
  } finally {
    globalThis.fetch = realFetch;
  }
});
