import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";

test("without parameters the document is served by the origin it describes", () => {
  expect(parseOptions("")).toEqual({
    title: "API",
    version: "1.0.0",
    summary: "",
    license: "",
    servers: ["/"],
  });
});

test("servers may be several, everything else is said once", () => {
  const options = parseOptions(
    "title=Library,version=2.1.0,license=MIT,server=https://a.example,server=https://b.example",
  );
  expect(options).toMatchObject({ title: "Library", version: "2.1.0", license: "MIT" });
  expect(options.servers).toEqual(["https://a.example", "https://b.example"]);
  expect(() => parseOptions("title=a,title=b")).toThrow('parameter "title" is given twice');
});

test("unknown and empty parameters are refused by name", () => {
  expect(() => parseOptions("titel=Library")).toThrow('parameter "titel" is unknown');
  expect(() => parseOptions("title=")).toThrow('parameter "title" has no value');
});
