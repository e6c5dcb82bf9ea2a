/** What every answer must be, whatever was asked. */
import { equals, fromBinary, fromJson, type JsonValue, type Registry, toBinary } from "@bufbuild/protobuf";
import type { FuzzRequest } from "./request-arbitrary.ts";

/** Texts that no client may ever see. */
const internals = [/\n\s+at /, /node:internal/, /\/node_modules\//, /TypeError|RangeError|SyntaxError/];

/** @returns what is wrong; undefined when nothing is */
export function wrongWith(request: FuzzRequest, answer: Buffer, registry: Registry): string | undefined {
  const text = answer.toString("latin1");
  if (internals.some((pattern) => pattern.test(text))) return `shows its insides: ${text.slice(0, 400)}`;
  const final = text.replace(/^(HTTP\/1\.1 1\d\d [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)+/, "");
  if (final === "") return request.message ? "a whole request got no answer" : undefined;
  const [, status, head, body] = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n(.*?)\r\n\r\n(.*)$/s.exec(final) ?? [];
  if (status === undefined) return `not HTTP: ${final.slice(0, 200)}`;
  if (Number(status) >= 500 && status !== "501" && status !== "504")
    return `status ${status}: ${body?.slice(0, 300)}`;
  if (!request.message) return undefined;
  if (status !== "200") return `a whole request got ${status}: ${body}`;
  return differs(request, dechunk(head!, body!), registry);
}

function differs({ message }: FuzzRequest, body: string, registry: Registry): string | undefined {
  const json = JSON.parse(Buffer.from(body, "latin1").toString("utf8")) as JsonValue;
  const type = registry.getMessage(message!.$typeName)!;
  // By way of the wire: a float is a double in JSON.
  const echoed = fromBinary(type, toBinary(type, fromJson(type, json, { registry })));
  return equals(type, message!, echoed) ? undefined : `echoed as ${JSON.stringify(json)}`;
}

function dechunk(head: string, body: string): string {
  if (!/^transfer-encoding: chunked$/im.test(head)) return body;
  let out = "";
  for (let at = 0; ; ) {
    const line = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.slice(at, line), 16);
    if (!(size > 0)) return out;
    out += body.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
  }
}
