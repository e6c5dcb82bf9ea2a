import type { Readable } from "node:stream";
import zlib from "node:zlib";
import { ArrayElements, type ElementCutter, LineElements } from "./json-elements.ts";
import { essenceOf, NDJSON_TYPE } from "./media.ts";
import { Overlay } from "./overlay.ts";
import { contentCoding } from "./request-body.ts";
import type { RestCall } from "./rest-call.ts";
import { malformed } from "./status.ts";
import type { Call } from "./upstream-call.ts";

/**
 * Sends the request body of a client-streaming call message by message: elements of a JSON array, lines of
 * NDJSON, or chunks of raw bytes. Path and query go into the first message only.
 * @param onRefused gets what is wrong with the body; the call is then cancelled
 */
export function sendClientStream(
  rest: RestCall,
  overlay: Overlay,
  call: Call,
  onRefused: (reason: unknown) => void,
): void {
  const { request, route, maxBodyBytes: limit } = rest;
  const nothing = new Overlay(overlay.encoder, false);
  let first = true;
  let over = false;
  const bindings = (): Overlay => {
    const bound = first ? overlay : nothing;
    first = false;
    return bound;
  };
  const contentType = String(request.headers["content-type"] ?? "");
  const cutter: ElementCutter | undefined = route.binder.rawBody
    ? undefined
    : essenceOf(contentType) === NDJSON_TYPE
      ? new LineElements(limit)
      : new ArrayElements(limit);

  const source: Readable =
    contentCoding(request) === "gzip"
      ? (request as Readable).pipe(zlib.createGunzip())
      : (request as Readable);
  const refuse = (reason: unknown): void => {
    if (over) return;
    over = true;
    source.pause();
    onRefused(reason);
    call.cancel();
  };
  const encode = (element: Buffer): Buffer => {
    if (cutter) return route.binder.fromJson(bindings(), element);
    const isFirst = first;
    return route.binder.fromRaw(bindings(), isFirst ? contentType : "", element);
  };
  const send = (elements: Buffer[]): void => {
    if (elements.length === 0) return;
    // One write for all that came together: each costs a turn through the HTTP/2 library.
    const frames = elements.map(encode);
    if (!call.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))) source.pause();
  };

  call.onDrain(() => source.resume());
  source.on("data", (chunk: Buffer) => {
    if (over) return;
    try {
      send(cutter ? cutter.push(chunk) : [chunk]);
    } catch (error) {
      refuse(error);
    }
  });
  source.on("end", () => {
    if (over) return;
    try {
      if (cutter) send(cutter.end());
      // Without a message the bindings would be lost.
      else if (first) send([Buffer.alloc(0)]);
      over = true;
      call.end();
    } catch (error) {
      refuse(error);
    }
  });
  source.on("error", () => refuse(malformed("the body is not valid gzip")));
}
