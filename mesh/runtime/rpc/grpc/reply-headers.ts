/** With what replies begin and end. */
import type { OutgoingHttpHeaders } from "node:http2";
import { CallHeaders } from "./call-headers.ts";
import { addHeaders } from "./headers.ts";

const fixed: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc+proto" };

/** Trailers of a call that ended well. */
export const okTrailers: OutgoingHttpHeaders = { "grpc-status": "0" };

/** node:http2 takes lists from 24.7 on, and copies and fills up what is not one. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const takesLists = major > 24 || (major === 24 && minor >= 7);

let list: readonly string[] = [];
let listedSecond = 0;

/** Headers of nearly all replies: names and values alternating, complete with the date, made once a second. */
export function usualHeaders(): readonly string[] | OutgoingHttpHeaders {
  if (!takesLists) return fixed;
  const second = Math.floor(Date.now() / 1_000);
  if (second !== listedSecond) {
    listedSecond = second;
    const date = new Date(second * 1_000).toUTCString();
    list = [":status", "200", "content-type", "application/grpc+proto", "date", date];
  }
  return list;
}

/** Headers of a reply with metadata of its own, which can be anything but the fixed ones. */
export function replyHeaders(headers: Headers, more: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  return { ...addHeaders(headers, {}), ...more, ...fixed };
}

/** Whether there never was any metadata. */
export function isEmpty(headers: Headers): boolean {
  return headers instanceof CallHeaders && headers.isEmpty;
}
