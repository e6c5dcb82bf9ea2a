import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { serve } from "../../test/system/serve.ts";
import { createPasswords } from "./password-hash.ts";
import { seedUsers } from "./seed.ts";
import { auth } from "./service.ts";
import { storage } from "./storage.ts";

test("the users of the seed file may sign in with their ids and roles; a repeat changes nothing", async () => {
  const seed = JSON.parse(await readFile(new URL("../../deploy/local/seed.json", import.meta.url), "utf8"));
  const served = await serve([auth], { seed });
  try {
    const { email, password, id, roles } = seed.users.find((user: { email: string }) =>
      user.email.startsWith("admin"),
    );
    const { accessToken } = await served.client(AuthService).login({ email, password });
    const claims = JSON.parse(Buffer.from(accessToken.split(".")[1] as string, "base64url").toString());
    expect(claims).toMatchObject({ sub: id, roles });

    const orm = await openDatabase(served.database("auth"), storage, createLogger("auth", "silent"));
    await seedUsers({ orm, passwords: createPasswords() }, seed);
    const events = await orm.em.execute("select key from outbox order by key");
    await orm.close();
    expect(events.map(({ key }) => key)).toEqual(seed.users.map((user: { id: string }) => user.id).sort());
  } finally {
    await served.stop();
  }
});
