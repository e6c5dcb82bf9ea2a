/** Profiles through the contract, with auth beside it: registration arrives as an event. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BadRequestSchema } from "#gen/google/rpc/error_details_pb.ts";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserService } from "#gen/shop/user/v1/user_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { auth } from "../auth/service.ts";
import { createProfile } from "./create-profile.ts";
import { user } from "./service.ts";
import { storage } from "./storage.ts";

const home = {
  label: "home",
  lines: ["1 Elm St", "2nd floor"],
  city: "Ulm",
  postalCode: "89073",
  countryCode: "DE",
};
const nobody = "01900000-0000-7000-9000-00000000ffff";
let served: Served;
beforeAll(async () => {
  served = await serve([auth, user]);
});
afterAll(() => served?.stop());

const as = (id: string, ...roles: string[]) => served.client(UserService, { user: { id, roles } });

/** Somebody who registered and whose profile has arrived. */
async function someone(displayName = "Ann") {
  const email = `${crypto.randomUUID()}@example.com`;
  const { userId } = await served
    .client(AuthService)
    .register({ email, password: "three blind mice", displayName });
  const me = as(userId, "customer");
  await expect.poll(() => me.getMe({}).catch(reasonOf)).toMatchObject({ id: userId });
  return { id: userId, email, me };
}

/** Code, reason and fields of a refusal. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => expect.unreachable("the call must be refused"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const fields = error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
  return { code: error.code, reason: reasonOf(error), fields: fields.map(({ field }) => field) };
}

test("a profile appears after registration", async () => {
  const { id, email, me } = await someone("Ann Lee");
  const profile = await me.getMe({});
  expect(profile).toMatchObject({ id, email, displayName: "Ann Lee", roles: ["customer"], addresses: [] });
  expect(profile.updatedAt).toEqual(profile.createdAt);
});

test("a registration that arrives again leaves the profile as its user has changed it", async () => {
  const { id, email, me } = await someone();
  await me.updateMe({ displayName: "Changed" });
  const orm = await openDatabase(served.database("user"), storage, createLogger("user", "silent"));
  const registered = { userId: id, email, displayName: "Ann", roles: ["customer"], createdAt: new Date() };
  await inTransaction(orm, (tx) => createProfile(tx, registered));
  await orm.close();
  expect((await me.getMe({})).displayName).toBe("Changed");
});

test("a change of one field leaves the others untouched", async () => {
  const { me, email } = await someone();
  await me.updateMe({ addresses: { items: [home] } });
  const changed = await me.updateMe({ displayName: "Anna" });
  expect(changed).toMatchObject({ displayName: "Anna", email, roles: ["customer"], addresses: [home] });
  expect(await me.getMe({})).toEqual(changed);
  expect(timestampDate(changed.updatedAt!).getTime()).toBeGreaterThan(
    timestampDate(changed.createdAt!).getTime(),
  );
});

test("addresses are replaced as a whole, and can all go", async () => {
  const { me } = await someone();
  const work = { ...home, label: "work" };
  await me.updateMe({ addresses: { items: [home, work] } });
  expect((await me.updateMe({ addresses: { items: [work] } })).addresses).toMatchObject([work]);
  expect((await me.updateMe({ addresses: {} })).addresses).toEqual([]);
});

test("an empty name is a name, and no change changes nothing", async () => {
  const { me } = await someone();
  const changed = await me.updateMe({ displayName: "" });
  expect(changed.displayName).toBe("");
  expect(await me.updateMe({})).toEqual(changed);
});

test.each([
  ["display_name", { displayName: "x".repeat(101) }],
  ["display_name", { displayName: "a\0b" }],
  ["addresses.items[0].lines[0]", { addresses: { items: [{ ...home, lines: ["1\0"] }] } }],
  ["addresses.items", { addresses: { items: Array.from({ length: 11 }, () => home) } }],
  ["addresses.items[1].country_code", { addresses: { items: [home, { ...home, countryCode: "Germany" }] } }],
  ["addresses.items[0].lines", { addresses: { items: [{ ...home, lines: [] }] } }],
  ["addresses.items[0].city", { addresses: { items: [{ ...home, city: "" }] } }],
])("a change with a wrong %s names the field and changes nothing", async (field, change) => {
  const { me } = await someone();
  const before = await me.getMe({});
  expect(await refusal(me.updateMe(change))).toMatchObject({ code: Code.InvalidArgument, fields: [field] });
  expect(await me.getMe({})).toEqual(before);
});

test("a user is shown to themselves and to an admin, and to nobody else", async () => {
  const [ann, bob] = [await someone("Ann"), await someone("Bob")];
  expect((await ann.me.getUser({ userId: ann.id })).displayName).toBe("Ann");
  expect((await as(nobody, "admin").getUser({ userId: ann.id })).displayName).toBe("Ann");
  const stranger = await refusal(bob.me.getUser({ userId: ann.id }));
  expect(stranger.code).toBe(Code.NotFound);
  expect(await refusal(bob.me.getUser({ userId: nobody }))).toEqual(stranger);
  expect(await refusal(served.client(UserService).getUser({ userId: ann.id }))).toMatchObject({
    code: Code.Unauthenticated,
  });
});

test("a user who never registered is not found", async () => {
  const missing = { code: Code.NotFound, reason: "USER_NOT_FOUND", fields: [] };
  expect(await refusal(as(nobody, "customer").getMe({}))).toEqual(missing);
  expect(await refusal(as(nobody, "customer").updateMe({ displayName: "Nobody" }))).toEqual(missing);
  expect(await refusal(as(nobody, "admin").getUser({ userId: nobody }))).toEqual(missing);
});

test("an id that is none is refused by name of the field", async () => {
  const call = as(nobody, "admin").getUser({ userId: "../1" });
  expect(await refusal(call)).toMatchObject({ code: Code.InvalidArgument, fields: ["user_id"] });
});

test("only the edge may ask", async () => {
  const order = served.client(UserService, { caller: "order", user: { id: nobody, roles: ["admin"] } });
  expect(await refusal(order.getUser({ userId: nobody }))).toMatchObject({ code: Code.PermissionDenied });
});
