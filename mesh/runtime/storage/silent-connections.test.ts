import { connect, createServer, type Server, type Socket } from "node:net";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freshDatabase } from "../../../test/system/fresh.ts";
import { releaseDeadConnections } from "./dead-connections.ts";
import { endSilentConnections } from "./silent-connections.ts";

/** Long enough for a busy machine to answer within it. */
const limit = 3_000;

let relay: Server;
let sockets: Socket[];
let pool: pg.Pool;

beforeEach(async () => {
  const url = new URL(await freshDatabase("silent"));
  const { port, hostname } = url;
  sockets = [];
  relay = createServer((near) => {
    const far = connect(Number(port), hostname);
    sockets.push(near, far);
    near.on("error", () => far.destroy()).pipe(far);
    far.on("error", () => near.destroy()).pipe(near);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  url.port = String((relay.address() as { port: number }).port);
  pool = new pg.Pool({ connectionString: url.href, max: 2, connectionTimeoutMillis: 60_000 });
  pool.on("error", () => {});
  releaseDeadConnections(pool);
  endSilentConnections(pool, limit);
});

afterEach(async () => {
  await pool.end();
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => relay.close(() => resolve()));
});

/** Nothing passes on the connections that are open now; nobody is told. */
function fallSilent(): void {
  for (const socket of sockets) {
    socket.unpipe();
    socket.pause();
  }
}

test("a statement that the server never answers fails, and its place in the pool is free again", async () => {
  const [first, second] = await Promise.all([pool.connect(), pool.connect()]);
  first.release();
  second.release();
  fallSilent();
  const ask = async () => {
    const client = await pool.connect();
    try {
      return (await client.query("select 1 as one")).rows;
    } finally {
      client.release();
    }
  };
  await expect(Promise.all([ask(), ask()])).rejects.toThrow("Connection terminated");
  await expect(ask()).resolves.toEqual([{ one: 1 }]);
});

test("a transaction that rests for longer than that is left alone", async () => {
  const client = await pool.connect();
  await client.query("begin");
  await new Promise((resolve) => setTimeout(resolve, limit + 200));
  await client.query("commit");
  client.release();
});

test("each statement has the whole time", async () => {
  const client = await pool.connect();
  for (let count = 0; count < 3; count++) await client.query(`select pg_sleep(${(limit * 0.4) / 1_000})`);
  client.release();
});
