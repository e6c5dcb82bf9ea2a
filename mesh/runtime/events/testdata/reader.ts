/** A service that reads the library's events, and what publishes them to it as the library's relay does. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { MsgHdrs } from "@nats-io/nats-core";
import { v7 as uuidv7 } from "uuid";
import { expect, onTestFinished, vi } from "vitest";
import { freshBus } from "../../../../test/system/fresh.ts";
import type { Bus } from "../bus.ts";
import { encodeCloudEvent } from "../cloud-events.ts";
import { type EventHandler, on, startConsumers } from "../consumers.ts";
import { eventContract } from "../event-contract.ts";
import { ensureStream } from "../streams.ts";
import { type BookLent, libraryContract } from "./library.ts";
import { libraryBus, libraryDatabase, recordingLog } from "./library-service.ts";

export const { BookLentSchema, ShelfOpenedSchema } = libraryContract({
  consumers: [{ service: "reader", maxDeliver: 3, backoff: [50, 100] }],
});
export const contract = eventContract(BookLentSchema);
export const durable = "reader__book_lent";
export const soon = { timeout: 60_000, interval: 20 };

/** A handler that counts in the transaction of the event. */
export const count = on(BookLentSchema, async ({ shelfId }, { em }) => {
  await em.execute(
    "insert into shelves (id, lent) values (?, 1) on conflict (id) do update set lent = shelves.lent + 1",
    [shelfId],
  );
});

/** How often a shelf was counted. */
export async function countOf(orm: MikroORM, shelfId: string): Promise<number> {
  const [row] = await orm.em
    .fork()
    .execute<{ lent: number }[]>("select lent from shelves where id = ?", [shelfId]);
  return row?.lent ?? 0;
}

export interface Published {
  id: string;
  /** Publishes the same event as another message, past the stream's duplicate window. */
  again(): Promise<void>;
}

/** Publishes an event as the relay does; `spoil` may change its headers first. */
export async function publish(
  bus: Bus,
  fields: Partial<BookLent>,
  spoil: (headers: MsgHdrs) => void = () => {},
): Promise<Published> {
  const message = create(BookLentSchema, { shelfId: "shelf-1", revision: 1n, title: "Emma", ...fields });
  const data = toBinary(BookLentSchema, message);
  const id = uuidv7();
  const send = async (repeated: boolean) => {
    const headers = encodeCloudEvent({
      id,
      source: "/services/library",
      type: "library.v1.BookLent",
      time: new Date(1_700_000_000_000),
      key: message.shelfId,
      version: message.revision,
      requestId: "request-1",
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      data,
    });
    if (repeated) headers.delete("Nats-Msg-Id");
    spoil(headers);
    await bus.js.publish(contract.subject, data, { headers });
  };
  await send(false);
  return { id, again: () => send(true) };
}

/** A database, a bus and the consumers of "reader" with these handlers. `start` starts them once more. */
export async function startReader(
  handlers: EventHandler[],
  options: { orm?: MikroORM; concurrency?: number } = {},
) {
  const orm = options.orm ?? (await libraryDatabase()).orm;
  const url = await freshBus();
  const { log, lines } = recordingLog();
  const bus = await libraryBus(url, "reader", log);
  await bus.connected();
  await ensureStream(bus, contract);
  const start = () => {
    const consumers = startConsumers({
      service: "reader",
      orm,
      bus,
      handlers,
      log,
      concurrency: options.concurrency,
    });
    onTestFinished(() => consumers.stop());
    return consumers;
  };
  return { orm, bus, url, log, lines, start, consumers: start() };
}

/** Waits until nothing is pending or in flight. */
export async function settled(bus: Bus): Promise<void> {
  await vi.waitFor(async () => {
    const info = await bus.jsm.consumers.info(contract.stream, durable);
    expect([info.num_pending, info.num_ack_pending]).toEqual([0, 0]);
  }, soon);
}
