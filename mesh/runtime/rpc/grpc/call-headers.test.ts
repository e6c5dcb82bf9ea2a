import { expect, test } from "vitest";
import { CallHeaders } from "./call-headers.ts";

/** The built-in class is the measure. */
function both(act: (headers: Headers) => unknown): { ours: unknown; builtIn: unknown } {
  return { ours: act(CallHeaders.from({ b: "2", a: "1" })), builtIn: act(new Headers({ b: "2", a: "1" })) };
}

test.each<[string, (headers: Headers) => unknown]>([
  ["get", (h) => [h.get("a"), h.get("A"), h.get("c")]],
  ["has", (h) => [h.has("A"), h.has("c")]],
  ["iteration, sorted by name", (h) => [...h]],
  ["keys and values", (h) => [[...h.keys()], [...h.values()], [...h.entries()]]],
  ["set", (h) => [h.set("B", " 3\t"), [...h]]],
  ["append", (h) => [h.append("A", "9"), h.append("c", ""), [...h]]],
  ["delete", (h) => [h.delete("A"), h.delete("zz"), [...h]]],
  [
    "cookies",
    (h) => [h.append("Set-Cookie", "x=1"), h.append("set-cookie", "y=2"), h.getSetCookie(), [...h]],
  ],
  [
    "get of cookies",
    (h) => [h.append("set-cookie", "x=1"), h.append("set-cookie", "y=2"), h.get("set-cookie")],
  ],
  [
    "forEach",
    (h) => {
      const seen: string[] = [];
      h.forEach((value, name) => {
        seen.push(name + value);
      });
      return seen;
    },
  ],
  ["a copy", (h) => [...new Headers(h)]],
  [
    "__proto__",
    (h) => [h.get("__proto__"), h.set("__proto__", "x"), h.get("__proto__"), h.get("constructor")],
  ],
])("%s is as in the built-in class", (_, act) => {
  const { ours, builtIn } = both(act);
  expect(ours).toEqual(builtIn);
});

test.each([
  ["", "x"],
  ["a b", "x"],
  [":path", "x"],
  ["a", "x\r\ny: z"],
  ["a", "x\0"],
  ["a", "naïve 🎈"],
])("the name %j with the value %j is refused", (name, value) => {
  expect(() => CallHeaders.from().set(name, value)).toThrow(TypeError);
  expect(() => CallHeaders.from().append(name, value)).toThrow(TypeError);
});

test("what a peer sent is not changed, and its pseudo-headers do not show", () => {
  const sent = { ":path": "/x", name: "ann" };
  const headers = CallHeaders.received(sent);
  expect([headers.get(":path"), headers.has(":path"), [...headers]]).toEqual([
    null,
    false,
    [["name", "ann"]],
  ]);
  headers.set("name", "bob");
  headers.delete("other");
  expect(headers.get("name")).toBe("bob");
  expect(sent).toEqual({ ":path": "/x", name: "ann" });
  const out = {};
  headers.copyTo(out);
  expect(out).toEqual({ name: "bob" });
});
