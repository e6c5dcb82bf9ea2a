import { expect, test } from "vitest";
import { freeOffset, takenPorts } from "./ports.ts";

test("a port that browsers and fetch refuse counts as taken", async () => {
  await expect(fetch("http://127.0.0.1:10080/")).rejects.toMatchObject({ cause: { message: "bad port" } });
  expect(await takenPorts([{ name: "edge", port: 10_080 }])).toEqual([
    { name: "edge", port: 10_080, reason: "is one that browsers refuse to call" },
  ]);
});

test("no offset is suggested that puts a service on such a port", async () => {
  expect(await freeOffset([9080])).not.toBe(1000);
});
