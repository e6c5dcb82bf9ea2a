import { createServer } from "node:net";

/**
 * A TCP port on 127.0.0.1 that nobody uses now. Another program may take it before
 * you do: for tests and for servers that cannot choose a port themselves.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string")
    throw new Error("no TCP port could be had on 127.0.0.1");
  return address.port;
}
