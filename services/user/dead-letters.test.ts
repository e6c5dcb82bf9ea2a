/** Dead letters of a running service: for the operator, without what is sensitive. */
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { DeadLetter_State, DeadLetterService } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { producer } from "../../test/system/producer.ts";
import { refusal } from "../../test/system/refusal.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { user } from "./service.ts";

const auth = producer(AuthService, [UserRegisteredSchema]);
let served: Served;
beforeAll(async () => {
  served = await serve([auth.definition, user]);
});
afterAll(() => served?.stop());

const deadLettersAs = (caller: string) => served.client(DeadLetterService, { caller, at: "user" });

test("an event that cannot be handled is listed, shown without its sensitive fields, and can be dropped", async () => {
  await auth.record(UserRegisteredSchema, { userId: "not a UUID", email: "ann@example.com" });
  const operator = deadLettersAs("operator");
  const letter = await vi.waitFor(
    async () => {
      const { deadLetters } = await operator.listDeadLetters({ states: [1, 2] });
      expect(deadLetters).toHaveLength(1);
      return operator.getDeadLetter({ id: deadLetters[0]!.id });
    },
    { timeout: 60_000, interval: 50 },
  );
  expect(letter.payload).toMatchObject({ userId: "not a UUID", email: "[redacted]" });
  expect(
    JSON.stringify(letter, (_, value) => (typeof value === "bigint" ? String(value) : value)),
  ).not.toContain("ann@example.com");
  const dropped = await operator.dropDeadLetter({ id: letter.id, actor: "ann" });
  expect(dropped).toMatchObject({ state: DeadLetter_State.DROPPED, settledBy: "ann" });
});

test.each(["edge", "auth", "stranger"])("%s may not touch dead letters", async (caller) => {
  const client = deadLettersAs(caller);
  const refused = { code: Code.PermissionDenied, reason: "CALLER_DENIED" };
  expect(await refusal(client.listDeadLetters({}))).toMatchObject(refused);
  expect(await refusal(client.replayDeadLetter({ id: uuidv7(), actor: "ann" }))).toMatchObject(refused);
});

test("a bad request names the field", async () => {
  const operator = deadLettersAs("operator");
  expect((await refusal(operator.getDeadLetter({ id: "1" }))).fields).toEqual(["id"]);
  expect((await refusal(operator.dropDeadLetter({ id: uuidv7(), actor: "" }))).fields).toEqual(["actor"]);
  expect((await refusal(operator.listDeadLetters({ pageSize: 101 }))).fields).toEqual(["page_size"]);
});
