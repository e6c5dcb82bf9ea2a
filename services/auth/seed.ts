import type { MikroORM } from "@mikro-orm/postgresql";
import { z } from "zod";
import { normaliseEmail } from "./account.ts";
import type { Passwords } from "./password-hash.ts";
import { registerUser } from "./register-user.ts";
import { AccountRow } from "./storage.ts";

const seedFile = z.object({
  users: z.array(
    z.object({
      id: z.uuid(),
      email: z.email(),
      displayName: z.string(),
      roles: z.array(z.string()),
      password: z.string().min(8),
    }),
  ),
});

/** Registers every user of the seed file who is not known yet. */
export async function seedUsers(
  parts: { orm: MikroORM; passwords: Passwords },
  data: unknown,
): Promise<void> {
  for (const user of seedFile.parse(data).users) {
    const same = { $or: [{ id: user.id }, { email: normaliseEmail(user.email) }] };
    if ((await parts.orm.em.fork().count(AccountRow, same)) === 0) await registerUser(parts, user);
  }
}
