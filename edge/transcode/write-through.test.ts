import { once } from "node:events";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import type { Call } from "./upstream-call.ts";
import { writeThrough } from "./write-through.ts";

test("the upstream waits while the client does not read, however many messages came at once", async () => {
  let reads = false;
  let read = () => {};
  const client = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => {
      read = done;
      if (reads) done();
    },
  });
  const asked: string[] = [];
  const call = { pause: () => asked.push("pause"), resume: () => asked.push("resume") } as unknown as Call;
  const write = writeThrough(client as never, () => call);

  for (let i = 0; i < 20; i++) write(Buffer.from("message"));
  expect(client.listenerCount("drain")).toBe(1);
  expect(asked).toEqual(["pause"]);

  const drained = once(client, "drain");
  reads = true;
  read();
  await drained;
  expect(asked).toEqual(["pause", "resume"]);

  reads = false;
  write("more");
  expect(asked).toEqual(["pause", "resume", "pause"]);
});
