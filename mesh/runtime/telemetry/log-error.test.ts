import { expect, test } from "vitest";
import { errorForLog } from "./log-error.ts";

test("the driver's texts, which hold row values, stay out of the log", () => {
  const driver = Object.assign(new Error("Failing row contains (ann@example.com, $argon2id$secret)."), {
    code: "23514",
    constraint: "readers_email_check",
    detail: "ann@example.com",
  });
  const error = new Error("insert into readers values ('ann@example.com') - Failing row", { cause: driver });
  const logged = JSON.stringify(errorForLog(error));
  expect(logged).toContain("SQLSTATE 23514, constraint readers_email_check");
  expect(logged).not.toMatch(/ann@example|argon2id/);
});

test("other errors keep their text, their place and their cause", () => {
  const logged = errorForLog(new TypeError("outer", { cause: new Error("inner") })) as Record<
    string,
    unknown
  >;
  expect(logged).toMatchObject({ type: "TypeError", message: "outer", cause: { message: "inner" } });
  expect(logged.stack).toContain("log-error.test.ts");
});
