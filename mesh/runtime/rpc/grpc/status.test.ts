import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BadRequestSchema } from "#gen/google/rpc/error_details_pb.ts";
import { errorTrailers, readStatus } from "./status.ts";

/** What a peer reads of an error that was sent. */
const sent = (error: ConnectError, trailers = new Headers()) =>
  readStatus(errorTrailers(error, trailers) as Record<string, string>, 200);

test.each(["plain", "100 %", "ünïcödé 🎈", "line\nbreak", "%41 is no A", ""])(
  "the text %j arrives",
  (text) => {
    expect(sent(new ConnectError(text, Code.Aborted))?.rawMessage).toBe(text);
  },
);

test("a text that is no Unicode leaves all the same", () => {
  expect(sent(new ConnectError("\ud800!", Code.Aborted))?.rawMessage).toBe("\ufffd!");
});

test.each([
  ["50% off", "50% off"],
  ["%zz%E4%B8%AD", "%zz中"],
  ["caf%C3%A9 %", "café %"],
])("the text %j of a careless peer is taken as far as it makes sense", (header, text) => {
  expect(readStatus({ "grpc-status": "9", "grpc-message": header }, 200)?.rawMessage).toBe(text);
});

test("details and metadata arrive", () => {
  const error = new ConnectError("no", Code.InvalidArgument, { "x-hint": "a" });
  error.details.push({ desc: BadRequestSchema, value: { fieldViolations: [{ field: "name" }] } });
  const read = sent(error, new Headers({ "x-cost": "7" }));
  expect(read?.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe("name");
  expect(read?.metadata.get("x-hint")).toBe("a");
  expect(read?.metadata.get("x-cost")).toBe("7");
});

test("metadata that another server sent does not go on to the caller", () => {
  const error = readStatus({ "grpc-status": "5", "x-secret": "s" }, 200) as ConnectError;
  expect(error.metadata.get("x-secret")).toBe("s");
  expect(errorTrailers(error, new Headers())).not.toHaveProperty("x-secret");
});

test("details that do not parse leave code and text", () => {
  const trailers = { "grpc-status": "5", "grpc-message": "gone", "grpc-status-details-bin": "/////w" };
  expect(readStatus(trailers, 200)).toMatchObject({ code: Code.NotFound, rawMessage: "gone", details: [] });
});

test.each([
  [400, Code.Internal],
  [401, Code.Unauthenticated],
  [403, Code.PermissionDenied],
  [404, Code.Unimplemented],
  [429, Code.Unavailable],
  [502, Code.Unavailable],
  [503, Code.Unavailable],
  [504, Code.Unavailable],
  [418, Code.Unknown],
  [200, Code.Internal],
])("HTTP %d without a status is code %d", (httpStatus, code) => {
  expect(readStatus({}, httpStatus)?.code).toBe(code);
});

test.each(["17", "x", "-1", "00"])("grpc-status %j is refused", (status) => {
  expect(readStatus({ "grpc-status": status }, 200)).toMatchObject({ code: Code.Internal });
});
