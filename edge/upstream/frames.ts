import { constants } from "node:http2";

/** Frames of HTTP/2 (RFC 9113 section 4.1 and 6). */
export const FRAME_HEADER_BYTES = 9;

export const Frame = {
  data: 0x0,
  headers: 0x1,
  resetStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const Flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const Setting = {
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

/** Largest payload of a frame that either side may send without being told of more. */
export const DEFAULT_FRAME_SIZE = 16_384;
/** Window of a stream or connection before any setting or update. */
export const DEFAULT_WINDOW = 65_535;
export const LARGEST_WINDOW = 2 ** 31 - 1;

/** The peer broke the protocol; the connection ends. */
export class ConnectionError extends Error {
  /** RFC 9113 section 7. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** What `message` says must not happen. */
export function broken(message: string): ConnectionError {
  return new ConnectionError(constants.NGHTTP2_PROTOCOL_ERROR, message);
}
