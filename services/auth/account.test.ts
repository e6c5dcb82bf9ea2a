import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { normaliseEmail, refuseCommonPassword } from "./account.ts";

test("addresses are compared without regard to case", () => {
  expect(normaliseEmail("Ann.Lee@Example.COM")).toBe("ann.lee@example.com");
});

test.each(["password123", "PassWord123", "qwertyuiop", "12345678"])(
  "the common password %s is refused",
  (password) => {
    expect(() => refuseCommonPassword(password)).toThrow(
      expect.objectContaining({
        code: Code.InvalidArgument,
        reason: "PASSWORD_TOO_COMMON",
        fields: [expect.objectContaining({ field: "password" })],
      }),
    );
  },
);

test("a password that is not on the list is accepted, whatever it is made of", () => {
  for (const password of [
    "correct-horse-battery-staple",
    "пароль мой длинный",
    "        ",
    "password123 and more",
  ])
    expect(() => refuseCommonPassword(password)).not.toThrow();
});
