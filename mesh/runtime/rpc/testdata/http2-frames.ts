/** HTTP/2 by hand (RFC 9113), for peers that do what no library does. */

/** Types of frames. */
export const frameType = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6 } as const;
/** Flags of DATA and HEADERS. */
export const [endStream, endHeaders] = [1, 4];

export function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What a client begins with. */
export const preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  http2Frame(frameType.settings, 0, 0, Buffer.alloc(0)),
]);

/** RST_STREAM. */
export function resetFrame(stream: number, code: number): Buffer {
  return http2Frame(frameType.reset, 0, stream, Buffer.from([0, 0, 0, code]));
}

/** Headers as literals that are not indexed (RFC 7541 section 6.2.2); names and values shorter than 127 bytes. */
export function headerBlock(headers: Record<string, string>): Buffer {
  const text = (value: string) => [Buffer.from([value.length]), Buffer.from(value)];
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.of(0), ...text(name), ...text(value)]),
  );
}
