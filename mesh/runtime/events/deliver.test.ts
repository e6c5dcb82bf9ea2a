import { create, toBinary } from "@bufbuild/protobuf";
import type { JsMsg } from "@nats-io/jetstream";
import { expect, test } from "vitest";
import { noTracer } from "../telemetry/tracer.ts";
import { encodeCloudEvent } from "./cloud-events.ts";
import { on } from "./consumers.ts";
import { deliver } from "./deliver.ts";
import { DeadLetterRow } from "./inbox.ts";
import { libraryContract } from "./testdata/library.ts";
import { libraryDatabase, recordingLog } from "./testdata/library-service.ts";

const { BookLentSchema } = libraryContract({
  consumers: [{ service: "reader", maxDeliver: 3, backoff: [50] }],
});

/** The `deliveryCount`th delivery of one event; no server would count so far within a test's time. */
function delivery(deliveryCount: number): JsMsg & { answers: string[] } {
  const data = toBinary(BookLentSchema, create(BookLentSchema, { shelfId: "shelf-1", revision: 1n }));
  const time = new Date();
  const headers = encodeCloudEvent({
    id: "1",
    source: "/s",
    type: "library.v1.BookLent",
    time,
    key: "shelf-1",
    data,
  });
  const answers: string[] = [];
  const message = {
    data,
    headers,
    subject: "library.v1.book_lent",
    timestamp: time.toISOString(),
    redelivered: deliveryCount > 1,
    info: { stream: "LIBRARY_V1", streamSequence: 1, deliveryCount },
    ack: () => answers.push("ack"),
    nak: () => answers.push("nak"),
    term: () => answers.push("term"),
  };
  return { ...message, answers } as unknown as JsMsg & { answers: string[] };
}

test("an event that keeps bringing its process down is given up in the end", async () => {
  const { orm } = await libraryDatabase();
  let tries = 0;
  // What the next process sees: a delivery that ended without success and without a counted failure.
  const { contract, handle } = on(BookLentSchema, async (_event, { em }) => {
    tries++;
    await em.execute("select pg_terminate_backend(pg_backend_pid())");
  });
  const policy = contract.consumers[0]!;
  const reader = {
    consumer: "reader__book_lent",
    contract,
    policy,
    handle,
    orm,
    log: recordingLog().log,
    tracer: noTracer,
  };
  const answers = [];
  for (let deliveryCount = 8; answers.at(-1) !== "term"; deliveryCount++) {
    const message = delivery(deliveryCount);
    await deliver(reader, message);
    answers.push(...message.answers);
  }
  expect(answers).toEqual(["nak", "nak", "term"]);
  expect(tries).toBe(2);
  const [letter] = await orm.em.fork().find(DeadLetterRow, {});
  expect(letter).toMatchObject({
    state: "open",
    attempts: 3,
    cause: expect.stringContaining("without an outcome"),
  });
});

test("nothing is acknowledged while neither the effect nor the failure can be stored", async () => {
  const { orm } = await libraryDatabase();
  await orm.em.execute("alter table inbox rename to inbox_away");
  await orm.em.execute("alter table dead_letters rename to dead_letters_away");
  const { contract, handle } = on(BookLentSchema, async () => {});
  const reader = {
    consumer: "reader__book_lent",
    contract,
    policy: contract.consumers[0]!,
    handle,
    orm,
    log: recordingLog().log,
    tracer: noTracer,
  };
  const message = delivery(1);
  expect(await deliver(reader, message)).toBe("retry");
  expect(message.answers).toEqual(["nak"]);
});
