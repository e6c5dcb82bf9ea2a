import { expect, test } from "vitest";
import { readSettings } from "./settings.ts";

const SMTP_URL = "smtp://user:s3cret@127.0.0.1:1025";

test("the sender is the shop unless told otherwise", () => {
  expect(readSettings({ SMTP_URL }).from).toEqual({ name: "Weft Shop", address: "shop@example.com" });
  expect(readSettings({ SMTP_URL, MAIL_FROM: "no-reply@shop.test" }).from).toEqual({
    name: "",
    address: "no-reply@shop.test",
  });
});

test("a setting that is missing or malformed is named, its value is not", () => {
  expect(() => readSettings({})).toThrow("SMTP_URL");
  for (const url of ["http://user:s3cret@host", "s3cret"]) {
    expect(() => readSettings({ SMTP_URL: url })).toThrow(/SMTP_URL: must be smtp:/);
    expect(() => readSettings({ SMTP_URL: url })).not.toThrow("s3cret");
  }
  for (const from of ["", "Shop", "Shop <a@b", "a@b, c@d", "Shop\r\nBcc: x@y.z <a@b.c>"])
    expect(() => readSettings({ SMTP_URL, MAIL_FROM: from }), from).toThrow("MAIL_FROM");
});
