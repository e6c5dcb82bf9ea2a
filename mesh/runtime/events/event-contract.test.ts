import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { durableName } from "./durable.ts";
import { eventContract, eventsOf } from "./event-contract.ts";
import { type LibraryPolicy, libraryContract } from "./testdata/library.ts";

const read = (policy: LibraryPolicy) => eventContract(libraryContract(policy).BookLentSchema);

test("a contract gives the event's type, subject, stream, key, version and readers with their defaults", () => {
  const { BookLentSchema } = libraryContract({
    consumers: [
      { service: "reader" },
      { service: "night-watch", maxDeliver: 2, backoff: [10], ackWait: 500, maxAckPending: 7 },
    ],
  });
  const contract = eventContract(BookLentSchema);
  expect(contract).toMatchObject({
    type: "library.v1.BookLent",
    subject: "library.v1.book_lent",
    stream: "LIBRARY_V1",
    streamSubjects: "library.v1.>",
    consumers: [
      {
        service: "reader",
        maxDeliver: 5,
        backoff: [1_000, 5_000, 30_000, 120_000],
        ackWait: 30_000,
        maxAckPending: 256,
      },
      { service: "night-watch", maxDeliver: 2, backoff: [10], ackWait: 500, maxAckPending: 7 },
    ],
  });
  const event = create(BookLentSchema, { shelfId: "shelf-1", revision: 3n });
  expect(contract.keyOf(event)).toBe("shelf-1");
  expect(contract.versionOf(event)).toBe(3n);
  expect(() => contract.keyOf(create(BookLentSchema))).toThrow(
    "field shelf_id orders events and must not be empty",
  );
  expect(durableName("reader", contract)).toBe("reader__book_lent");
});

test("an event without a version field has no version", () => {
  const { ShelfOpenedSchema } = libraryContract();
  expect(eventContract(ShelfOpenedSchema).versionOf(create(ShelfOpenedSchema))).toBeUndefined();
});

test("the events of a file are its messages with the option", () => {
  expect(eventsOf([libraryContract().file]).map(({ name }) => name)).toEqual(["BookLent", "ShelfOpened"]);
});

test.each<[string, LibraryPolicy, string]>([
  ["no subject", { subject: "" }, "has no subject"],
  [
    "a subject of another package",
    { subject: "library.v2.lent" },
    'must start with its package: "library.v1."',
  ],
  ["a wildcard in the subject", { subject: "library.v1.*" }, "may hold letters"],
  ["an empty part in the subject", { subject: "library.v1..lent" }, "may hold letters"],
  ["an unknown key", { key: "shelf" }, 'key "shelf", which is not one of its fields'],
  ["a key that is no string", { key: "revision" }, "must be of type string"],
  ["a version that is no 64-bit integer", { version: "title" }, "must be of type int64 or uint64"],
  ["a consumer without a name", { consumers: [{ service: "" }] }, 'a consumer with the service name ""'],
  [
    "a consumer listed twice",
    { consumers: [{ service: "reader" }, { service: "reader" }] },
    'lists the consumer "reader" twice',
  ],
  [
    "a backoff of zero",
    { consumers: [{ service: "reader", backoff: [0] }] },
    'consumer "reader" backoff that is not positive',
  ],
  [
    "an ack_wait of zero",
    { consumers: [{ service: "reader", ackWait: 0 }] },
    'consumer "reader" ack_wait that is not positive',
  ],
])("%s is refused with the message's name and the reason", (_case, policy, reason) => {
  expect(() => read(policy)).toThrow("event contract: library.v1.BookLent");
  expect(() => read(policy)).toThrow(reason);
});

test("a message without the option is refused", () => {
  const librarian = libraryContract().file.messages.find(({ name }) => name === "Librarian");
  expect(() => eventContract(librarian!)).toThrow("has no option (weft.policy.v1.event)");
});
