/**
 * Between streams of node:http2 and the calls that they carry: the same few listeners for all of them. When a stream is
 * closed it lets go of its call: many streams stay until the next full garbage collection, held by their native part,
 * and with them all that hangs on them.
 */
import type { ServerHttp2Stream } from "node:http2";
import type { UnaryCall } from "./unary-call.ts";

/** The call that a stream carries. */
const carried = Symbol("carried call");

type Carrier = ServerHttp2Stream & { [carried]?: UnaryCall };

/** Lets `call` have what comes on the stream. */
export function carry(stream: Carrier, call: UnaryCall): void {
  stream[carried] = call;
  stream.on("error", ignore); // "close" follows and tells all
  stream.on("close", onClose);
  if (!call.begin()) return;
  stream.on("data", onData);
  stream.on("end", onEnd);
}

function ignore(): void {}

function onData(this: Carrier, chunk: Buffer): void {
  this[carried]?.onData(chunk);
}

function onEnd(this: Carrier): void {
  this[carried]?.onEnd();
}

/** Lets the call send its trailers after the last byte of its reply. */
export function sendTrailersWhenWanted(stream: ServerHttp2Stream): void {
  stream.on("wantTrailers", onWantTrailers);
}

function onWantTrailers(this: Carrier): void {
  this[carried]?.sendTrailers();
}

function onClose(this: Carrier): void {
  const call = this[carried];
  this[carried] = undefined;
  call?.onClose();
}
