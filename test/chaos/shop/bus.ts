/** The bus of a running shop, used from outside with the rights of one of its services. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { ensurePasswords } from "#local/passwords.ts";

/** Works with a connection as one of the services. Fails when NATS is away: nothing is tried again. */
export async function asService<T>(
  { dataDir, port, service }: { dataDir: string; port: number; service: string },
  work: (connection: NatsConnection) => Promise<T>,
): Promise<T> {
  const name = `bus/${service}`;
  const connection = await connect({
    servers: `127.0.0.1:${port}`,
    user: service,
    pass: ensurePasswords(dataDir, [name])(name),
    inboxPrefix: `_INBOX.${service}`,
    reconnect: false,
    timeout: 3_000,
  });
  const died = connection.closed().then((error) => {
    throw new Error(`NATS is away: ${error ? error.message : "the connection was closed"}`);
  });
  died.catch(() => {}); // it is closed at the end too
  const done = async () => {
    const result = await work(connection);
    await connection.flush(); // never settles if the connection ends before the answer
    return result;
  };
  try {
    return await Promise.race([done(), died]);
  } finally {
    await connection.close();
  }
}
