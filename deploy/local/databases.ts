import { Client, escapeIdentifier, escapeLiteral } from "pg";

export type ServiceDatabase = {
  /** Superuser's URL of the server. */
  adminUrl: string;
  /** Name of the service: lower-case letters, digits, "_" and "-", at most 40. */
  service: string;
  /** Password of the service's role. It is set anew on every call, so a changed one takes effect. */
  password: string;
};

/**
 * Gives a service its own role and its own database, both called `weft_<service>`.
 * No other role may connect to it. May be repeated.
 *
 * @returns the URL for the service
 * @throws TypeError for a name that is not one; the server's error otherwise.
 */
export async function ensureDatabase({ adminUrl, service, password }: ServiceDatabase): Promise<string> {
  if (!/^[a-z][a-z0-9_-]{0,39}$/.test(service))
    throw new TypeError(`not a service name: ${JSON.stringify(service)}`);
  const name = `weft_${service}`;
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const role = await admin.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
    const verb = role.rowCount ? "ALTER" : "CREATE";
    // The server takes no parameters in these statements; the names were checked above and are quoted here.
    await admin.query(
      `${verb} ROLE ${escapeIdentifier(name)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${escapeLiteral(password)}`,
    );
    const database = await admin.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
    if (!database.rowCount) {
      await admin.query(`CREATE DATABASE ${escapeIdentifier(name)} OWNER ${escapeIdentifier(name)}`);
    }
    await admin.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(name)} FROM PUBLIC`);
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.username = name;
  url.password = encodeURIComponent(password);
  url.pathname = `/${name}`;
  return url.href;
}
