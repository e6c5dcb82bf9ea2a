import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { asService } from "./bus.ts";

/** A NATS server that dies when a message comes. */
async function deadly(): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(
      `INFO ${JSON.stringify({ server_id: "X", version: "2.11.0", max_payload: 1e6, headers: true })}\r\n`,
    );
    socket.on("data", (data) => {
      if (data.includes("PUB ")) socket.destroy();
      else if (data.includes("PING")) socket.write("PONG\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

test("work fails when NATS dies meanwhile, and does not wait for an answer that cannot come", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "weft-bus-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const bus = { dataDir, port: await deadly(), service: "order" };
  await expect(asService(bus, async (connection) => connection.publish("a", "b"))).rejects.toThrow(
    /NATS is away/,
  );
});
