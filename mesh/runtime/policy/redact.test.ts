import { create, createRegistry } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { StatusSchema } from "#gen/google/rpc/status_pb.ts";
import { LoginRequestSchema, LoginResponseSchema } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { redactedJson } from "./redact.ts";

test("sensitive values are cut out, the rest is there", () => {
  const login = create(LoginRequestSchema, { email: "ann@example.com", password: "correct horse" });
  expect(redactedJson(LoginRequestSchema, login)).toEqual({ email: "[redacted]", password: "[redacted]" });
  const reply = create(LoginResponseSchema, { accessToken: "secret", tokenType: "Bearer", expiresIn: 300 });
  expect(redactedJson(LoginResponseSchema, reply)).toEqual({
    accessToken: "[redacted]",
    tokenType: "Bearer",
    expiresIn: 300,
  });
  const event = create(UserRegisteredSchema, { userId: "u-1", email: "ann@example.com" });
  expect(JSON.stringify(redactedJson(UserRegisteredSchema, event))).not.toContain("ann@");
});

test("a sensitive value that is not set is not spoken of", () => {
  expect(redactedJson(LoginRequestSchema, create(LoginRequestSchema))).toEqual({});
});

test("nor does an Any show what is sensitive in the message that it holds", () => {
  const event = create(UserRegisteredSchema, { userId: "u-1", email: "ann@example.com" });
  const status = create(StatusSchema, { message: "why", details: [anyPack(UserRegisteredSchema, event)] });
  expect(redactedJson(StatusSchema, status, createRegistry(UserRegisteredSchema))).toMatchObject({
    message: "why",
    details: [{ userId: "u-1", email: "[redacted]" }],
  });
});
