import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Passwords of database roles and users of the bus, made once and kept in
 * `passwords.json` (mode 0600) of the data folder.
 *
 * @param names for whom; e.g. "database/order"
 * @returns the password of each name
 */
export function ensurePasswords(dataDir: string, names: string[]): (name: string) => string {
  const file = join(dataDir, "passwords.json");
  const known = new Map(Object.entries(read(file)));
  const missing = names.filter((name) => !known.has(name));
  for (const name of missing) known.set(name, randomBytes(24).toString("base64url"));
  if (missing.length > 0) {
    writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(known), null, 2), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return (name) => {
    const password = known.get(name);
    if (password === undefined) throw new Error(`no password was made for "${name}"`);
    return password;
  };
}

function read(file: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Error(
      `${file} cannot be read: ${(error as Error).message}. Remove it to have new passwords made.`,
    );
  }
}
