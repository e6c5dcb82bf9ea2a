import { createServer } from "node:net";

/**
 * Below the ports that systems give to outgoing connections, which would take one between here and its use, and below
 * those that tests give to whole systems.
 */
const [lowest, highest] = [10_000, 20_000];

/**
 * A TCP port on 127.0.0.1 that nobody uses now. Another program may take it before
 * you do: for tests and for servers that cannot choose a port themselves.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await canListen(port)) return port;
  }
}

/** @throws Error for a reason that another port would not help against */
async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return true;
}
