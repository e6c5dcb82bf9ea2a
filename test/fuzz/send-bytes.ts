import net from "node:net";

/** Milliseconds after which a connection that neither answers nor closes counts as hanging. */
const HANG_MS = 15_000;

/** Milliseconds of silence after which a request that may be incomplete is ended. */
const PATIENCE_MS = 100;

/**
 * Sends bytes and collects what comes back until the other side closes.
 * @param whole whether the bytes are a whole request; if not, the sending side is closed when nothing comes
 * @throws Error when nothing closes in time, or nobody listens
 */
export function sendBytes(port: number, bytes: Buffer, whole: boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer and no close within ${HANG_MS} ms`));
    }, HANG_MS);
    const patience = whole ? undefined : setTimeout(() => socket.end(), PATIENCE_MS);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // The other side may close before it has read everything.
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () => {
      clearTimeout(timer);
      clearTimeout(patience);
      resolve(Buffer.concat(chunks));
    });
    socket.on("end", () => socket.end());
    socket.write(bytes);
  });
}
