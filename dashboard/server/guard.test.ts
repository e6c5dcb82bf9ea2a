import { expect, test } from "vitest";
import { refusal } from "./guard.ts";

const host = "127.0.0.1:8090";
const json = { host, "content-type": "application/json" };
const program = { ...json, "x-weft-dashboard": "1" };
const status = (method: string, headers: Record<string, string>, path = "/") =>
  refusal(method, path, headers)?.status;

test.each(["127.0.0.1:8090", "localhost:8090", "LOCALHOST", "[::1]:8090"])(
  "%s is a name of loopback",
  (name) => {
    expect(status("GET", { host: name })).toBeUndefined();
  },
);

test.each(["evil.example", "127.0.0.1.evil.example", "evil.example:8090", "", "127.0.0.1:8090@evil.example"])(
  "by the name %j nothing is answered: DNS rebinding",
  (name) => {
    expect(status("GET", { host: name })).toBe(421);
    expect(status("POST", { ...program, host: name })).toBe(421);
  },
);

test("the page's own requests pass, those of another origin do not", () => {
  expect(status("POST", { ...json, origin: "http://127.0.0.1:8090" })).toBeUndefined();
  for (const origin of ["http://evil.example", "http://127.0.0.1:8080", "http://localhost:8090", "null"]) {
    expect(status("POST", { ...program, origin }), origin).toBe(403);
    expect(status("GET", { host, origin }), origin).toBe(403);
  }
});

test("another site may open the page by a link, and do nothing else", () => {
  const elsewhere = { host, "sec-fetch-site": "cross-site" };
  expect(status("GET", { ...elsewhere, "sec-fetch-mode": "navigate" })).toBeUndefined();
  expect(status("GET", { ...elsewhere, "sec-fetch-mode": "no-cors" })).toBe(403);
  expect(status("POST", { ...program, ...elsewhere, "sec-fetch-mode": "navigate" })).toBe(403);
  expect(status("GET", { host, "sec-fetch-site": "same-site" })).toBe(403); // another port of this machine
});

test("a program needs a header that no form can send", () => {
  expect(status("POST", json)).toBe(403);
  expect(status("POST", program)).toBeUndefined();
  expect(status("POST", { ...json, "connect-protocol-version": "1" })).toBeUndefined();
  expect(status("POST", { host, "content-type": "application/grpc" })).toBeUndefined();
});

test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])(
  "a body of the type %j is refused: forms can send it",
  (type) => {
    expect(status("POST", { ...program, "content-type": type })).toBe(415);
  },
);

test("exporters of spans need nothing but their body", () => {
  const span = { host, "content-type": "application/x-protobuf" };
  expect(status("POST", span, "/v1/traces")).toBeUndefined();
  expect(status("POST", { ...span, origin: "http://evil.example" }, "/v1/traces")).toBe(403);
  expect(status("POST", span, "/weft.dashboard.v1.DashboardService/SetFault")).toBe(403);
});
