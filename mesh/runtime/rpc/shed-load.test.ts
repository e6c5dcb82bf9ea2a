import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { Importance } from "#gen/weft/policy/v1/policy_pb.ts";
import { libraryMethod } from "../policy/testdata/library-method.ts";
import { ServerLoad } from "./server-load.ts";
import { shedLoad } from "./shed-load.ts";

const limited = libraryMethod({ concurrency: { limit: 1 }, callers: ["edge"] });

function serving(load: ServerLoad) {
  onTestFinished(() => load.stop());
  return (method: DescMethod, handler: () => Promise<unknown>) =>
    shedLoad(load)(handler as never)({ method, stream: false } as never);
}

test("one call more than a method's limit is refused, with the time to come again", async () => {
  const load = new ServerLoad(0);
  const serve = serving(load);
  const slow = Promise.withResolvers<unknown>();
  const first = serve(limited, () => slow.promise);
  await expect(serve(limited, async () => ({ stream: false }))).rejects.toMatchObject({
    code: Code.ResourceExhausted,
    reason: "OVERLOADED",
    retryAfterMs: 1_000,
  });
  expect(load).toMatchObject({ inFlight: 1, shed: 1 });
  slow.resolve({ stream: false });
  await first;
  await serve(limited, async () => ({ stream: false }));
  expect(load).toMatchObject({ inFlight: 0, shed: 1 });
});

test("a call that fails gives its place back", async () => {
  const load = new ServerLoad(0);
  const serve = serving(load);
  await expect(serve(limited, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await serve(limited, async () => ({ stream: false }));
  expect(load.inFlight).toBe(0);
});

test("a stream keeps its place until its last message", async () => {
  const load = new ServerLoad(0);
  const serve = serving(load);
  const books = async function* () {
    yield "one";
  };
  const reply = (await serve(limited, async () => ({ stream: true, message: books() }))) as unknown as {
    message: AsyncIterable<string>;
  };
  expect(load.inFlight).toBe(1);
  for await (const book of reply.message) expect(book).toBe("one");
  expect(load.inFlight).toBe(0);
});

test("calls by the event loop's lateness: the least important go first", () => {
  const load = new ServerLoad(100);
  onTestFinished(() => load.stop());
  for (let window = 0; window < 4; window++) load.shedder!.observe(500, 1);
  const refused = (importance: Importance) => {
    const method = libraryMethod({ importance });
    return Array.from({ length: 20 }, () => load.enter(method)).filter((entered) => !entered).length;
  };
  expect(refused(Importance.LOW)).toBe(20);
  expect(refused(Importance.NORMAL)).toBe(0);
  expect(refused(Importance.HIGH)).toBe(0);
});
