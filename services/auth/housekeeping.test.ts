import { expect, test } from "vitest";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { freshDatabase } from "../../test/system/fresh.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { SigningKeyRow, storage } from "./storage.ts";

test("the first round begins at the start and has ended when the worker stops", async () => {
  const log = createLogger("auth", "silent");
  const orm = await openDatabase(await freshDatabase("auth"), storage, log);
  const housekeeping = createHousekeeping(orm, log);
  housekeeping.start();
  await expect.poll(() => orm.em.fork().count(SigningKeyRow)).toBe(1);
  await housekeeping.stop();
  await orm.close();
});
