/** The same over real connections, with real certificates: a service that other services, the edge and nobody call. */
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { inventory } from "../../services/inventory/service.ts";
import { type Served, serve } from "../system/serve.ts";
import { expected, users } from "./who-may-call.ts";

let served: Served;
beforeAll(async () => {
  served = await serve([inventory]);
});
afterAll(() => served?.stop());

const good = users.filter((user) => user?.refused === undefined);

/** "OK" for a call that got to the handler, whatever that thought of an empty request. */
async function outcome(method: DescMethod, caller: string, user: (typeof users)[number]): Promise<string> {
  const as = user && { id: crypto.randomUUID(), roles: [...user.roles] };
  const client = served.client(InventoryService, { caller, user: as }) as unknown as Record<
    string,
    (request: object) => Promise<unknown>
  >;
  try {
    await client[method.localName]!({});
    return "OK";
  } catch (error) {
    const { code } = ConnectError.from(error);
    return code === Code.InvalidArgument ? "OK" : `${Code[code]} ${reasonOf(error)}`;
  }
}

test.each(["order", "edge", "payment", "operator", "stranger"])("as %s", async (caller) => {
  const got: Record<string, string> = {};
  const want: Record<string, string> = {};
  for (const method of InventoryService.methods)
    for (const user of good) {
      const call = `${method.name} for ${user?.name ?? "nobody"}`;
      got[call] = await outcome(method, caller, user);
      want[call] = expected(method, caller, user);
    }
  expect(got).toEqual(want);
});
