/** What looks like an access token and is none is refused by inventory in Go as it is in TypeScript. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { expect, onTestFinished, test, vi } from "vitest";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import {
  audience,
  forgeries,
  issuer,
  jwk,
  sign,
} from "../../../mesh/runtime/identity/testdata/forged-tokens.ts";
import { inventory } from "../../../services/inventory/service.ts";
import { serve } from "../../system/serve.ts";

test("each forgery gets the same answer", async () => {
  const keys = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
  await new Promise<void>((resolve) => keys.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    keys.close();
    vi.unstubAllEnvs();
  });
  const env = {
    WEFT_JWKS_URL: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/`,
    WEFT_TOKEN_ISSUER: issuer,
    WEFT_TOKEN_AUDIENCE: audience,
  };
  const tokens = new Map<string, string>([["good, for an admin", await sign({ roles: ["admin"] })]]);
  for (const [name, make] of forgeries) tokens.set(name, await make());

  const answers: Record<string, Record<string, string>> = {};
  for (const language of ["typescript", "go"]) {
    vi.stubEnv("WEFT_IMPL", `inventory=${language}`);
    const system = await serve([inventory], { env });
    const answer = async (token: string) => {
      const call = system.client(InventoryService, { token }).adjustStock({ productId: uuidv7(), delta: 1 });
      return call.then(
        () => "served",
        (error) => `${Code[ConnectError.from(error).code]} ${reasonOf(error)}`,
      );
    };
    answers[language] = {};
    for (const [name, token] of tokens) answers[language][name] = await answer(token);
    await system.stop();
  }
  expect(answers.go).toEqual(answers.typescript);
  const served = Object.entries(answers.go!).filter(([, answer]) => answer === "served");
  expect(served.map(([name]) => name)).toEqual(["good, for an admin"]);
});
