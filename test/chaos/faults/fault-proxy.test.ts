import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultProxy } from "./fault-proxy.ts";

let echo: Server;
let proxy: FaultProxy;
let served: Socket[];
let opened: Socket[];

beforeEach(async () => {
  served = [];
  opened = [];
  echo = createServer((socket) => {
    served.push(socket);
    socket.on("error", () => {}).pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  proxy = await FaultProxy.listen((echo.address() as { port: number }).port);
});

afterEach(async () => {
  for (const socket of [...opened, ...served]) socket.destroy();
  await proxy.close();
  await new Promise<void>((resolve) => echo.close(() => resolve()));
});

/** A connection through the proxy that is known to work. */
async function open(): Promise<Socket> {
  const socket = connect(proxy.port, "127.0.0.1");
  opened.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject).once("connect", resolve);
  });
  socket.on("error", () => {});
  return socket;
}

/** What comes back; resolves once it is as long as what was sent. */
function say(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = "";
    const listen = (chunk: Buffer) => {
      heard += chunk;
      if (heard.length >= text.length) {
        socket.off("data", listen);
        resolve(heard);
      }
    };
    socket.on("data", listen).once("close", () => reject(new Error("closed")));
    socket.write(text);
  });
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()));
const later = (ms: number) => new Promise<"nothing">((resolve) => setTimeout(resolve, ms, "nothing"));

test("without a fault everything passes, also the end", async () => {
  const socket = await open();
  const long = "abc".repeat(200_000);
  expect(await say(socket, long)).toBe(long);
  socket.end();
  await closed(socket);
});

test("latency delays and keeps the order", async () => {
  const socket = await open();
  proxy.spoil({ kind: "latency", delay: 150 });
  const began = performance.now();
  const answers = await Promise.all([say(socket, "one"), say(socket, "twotwo")]);
  expect(answers[1]!.slice(0, 3)).toBe("one");
  expect(performance.now() - began).toBeGreaterThanOrEqual(290); // there and back
  proxy.heal();
  expect(await say(socket, "three")).toBe("three");
});

test("slices arrive as a whole", async () => {
  const socket = await open();
  proxy.spoil({ kind: "slice", delay: 0 });
  const text = "0123456789".repeat(500);
  expect(await say(socket, text)).toBe(text);
});

test("reset ends connections with an error, and refuses new ones until it is healed", async () => {
  const socket = await open();
  const error = new Promise<NodeJS.ErrnoException>((resolve) => socket.once("error", resolve));
  proxy.spoil({ kind: "reset", delay: 0 });
  expect((await error).code).toBe("ECONNRESET");
  const refused = connect(proxy.port, "127.0.0.1");
  opened.push(refused);
  refused.on("error", () => {});
  await closed(refused);
  proxy.heal();
  expect(await say(await open(), "back")).toBe("back");
});

test("what meets a black hole passes once it is gone", async () => {
  const socket = await open();
  proxy.spoil({ kind: "blackhole", delay: 0 });
  const answer = say(socket, "lost?");
  const young = await open();
  const youngAnswer = say(young, "me?");
  expect(await Promise.race([answer, youngAnswer, later(200)])).toBe("nothing");
  proxy.heal();
  expect(await Promise.all([answer, youngAnswer])).toEqual(["lost?", "me?"]);
});

test("half-open: the far end is gone and the near one never hears of it; new connections pass", async () => {
  const socket = await open();
  await say(socket, "hello");
  const far = closed(served[0]!);
  proxy.spoil({ kind: "half-open", delay: 0 });
  await far;
  const answer = say(socket, "anybody?");
  answer.catch(() => {}); // it is destroyed at the end of the test
  proxy.heal();
  expect(await Promise.race([answer, later(200)])).toBe("nothing");
  expect(socket.destroyed).toBe(false);
  expect(await say(await open(), "new")).toBe("new");
});
