import { expect, test } from "vitest";
import { readAuthConfig } from "./config.ts";

test("a missing setting stops the start and is named", () => {
  expect(() => readAuthConfig({ WEFT_TOKEN_ISSUER: "https://shop.test" })).toThrow("WEFT_TOKEN_AUDIENCE");
  expect(() => readAuthConfig({ WEFT_TOKEN_ISSUER: "", WEFT_TOKEN_AUDIENCE: "shop" })).toThrow(
    "WEFT_TOKEN_ISSUER",
  );
});
