/** What the renewal of a certificate, or the change of a root, does to connections and calls. */
import { once } from "node:events";
import http2 from "node:http2";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { createRoot } from "#local/certificates.ts";
import type { Workload } from "../identity/workload.ts";
import {
  call,
  client,
  forget,
  idOf,
  issue,
  issueTo,
  library,
  root,
  serve,
  stopAll,
  valid,
  withPair,
  workload,
  writeFiles,
} from "./testdata/library-mesh.ts";

let port: number;
let own: Workload;
beforeAll(async () => {
  own = workload("library", await issueTo("library"));
  port = await serve(own);
});
beforeEach(forget);
afterAll(stopAll);

test("a renewal drops no call: those in flight end on the connection they have, new ones come with the new certificate", async () => {
  const operator = await client("operator", await issueTo("operator"), port);
  const opened = Promise.withResolvers<void>();
  library.gate = opened.promise;
  const before = operator.list();
  await expect.poll(() => library.calls).toBe(1);

  // Both ends renew, from a root that only the new bundle has.
  const next = await createRoot("weft.test", valid);
  const both = root.certificate + next.certificate;
  const renewed = await issue({ uris: [idOf("library")] }, valid, next);
  writeFiles("library", renewed, both);
  writeFiles("operator", await issue({ uris: [idOf("operator")] }, valid, next), both);
  own.credentials?.reload();
  operator.own.credentials?.reload();

  library.gate = undefined;
  expect(await operator.list()).toBe("reached");
  opened.resolve();
  expect(await before).toBe("reached");

  // The old root goes; a certificate by it is now a stranger's.
  writeFiles("library", renewed, next.certificate);
  own.credentials?.reload();
  expect(await operator.list()).toBe("reached");
  expect(await call(`https://127.0.0.1:${port}`, { ...withPair(await issueTo("operator")), ca: both })).toBe(
    "Unauthenticated",
  );
});

test("a peer known by a root that is withdrawn has to show its certificate again", async () => {
  const next = await createRoot("weft.test", valid);
  const issued = await issue({ uris: [idOf("archive")] });
  const archive = workload("archive", issued);
  const at = await serve(archive);
  const options = {
    ...withPair(await issueTo("operator")),
    ca: root.certificate,
    checkServerIdentity: () => undefined,
  };
  const session = http2.connect(`https://127.0.0.1:${at}`, options);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  await once(session, "remoteSettings");
  writeFiles("archive", issued, root.certificate + next.certificate);
  archive.credentials?.reload();
  await new Promise((resolve) => session.ping(resolve));
  expect(session.closed, "a root more changes nothing").toBe(false);
  writeFiles("archive", issued, next.certificate);
  const goaway = once(session, "goaway");
  archive.credentials?.reload();
  await goaway;
});

test("renewals under load lose nothing", async () => {
  writeFiles("library", await issueTo("library"), root.certificate);
  own.credentials?.reload();
  const operator = await client("operator", await issueTo("operator"), port);
  const failures: unknown[] = [];
  let over = false;
  const caller = async () => {
    while (!over && failures.length === 0) await operator.list().catch((error) => failures.push(error));
  };
  const callers = Array.from({ length: 8 }, caller);
  onTestFinished(() => {
    over = true;
  });
  for (let renewal = 0; renewal < 4; renewal++) {
    writeFiles("library", await issueTo("library"), root.certificate);
    writeFiles("operator", await issueTo("operator"), root.certificate);
    own.credentials?.reload();
    operator.own.credentials?.reload();
    const before = library.calls;
    await expect.poll(() => library.calls).toBeGreaterThan(before + 30);
  }
  over = true;
  await Promise.all(callers);
  expect(failures).toEqual([]);
});

test("files that do not fit together, being written just now, change nothing", async () => {
  const mine = await issueTo("operator");
  const operator = await client("operator", mine, port);
  const { current } = operator.own.credentials!;
  writeFiles(
    "operator",
    { certificate: mine.certificate, key: (await issueTo("operator")).key },
    root.certificate,
  );
  operator.own.credentials?.reload();
  expect(operator.own.credentials?.current).toBe(current);
});
