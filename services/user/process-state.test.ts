/** weft.mesh.v1.MeshService, which every service serves: for the operator. */
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MeshService } from "#gen/weft/mesh/v1/mesh_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { user } from "./service.ts";

let served: Served;
beforeAll(async () => {
  served = await serve([user], { env: { WEFT_INSTANCE: "user-2", WEFT_VERSION: "1.2.3" } });
});
afterAll(() => served?.stop());

test("a process tells the operator what it is and what it serves", async () => {
  const state = await served.client(MeshService, { caller: "operator", at: "user" }).getState({});
  expect(state).toMatchObject({
    service: "user",
    instance: "user-2",
    version: "1.2.3",
    discovery: { kind: "static", registryLive: false },
    load: { inFlight: 1, shedLevel: 0, shed: 0n },
  });
});

test.each(["edge", "auth", "stranger"])("%s does not hear it", async (caller) => {
  const client = served.client(MeshService, { caller, at: "user" });
  expect(await refusal(client.getState({}))).toMatchObject({
    code: Code.PermissionDenied,
    reason: "CALLER_DENIED",
  });
});
