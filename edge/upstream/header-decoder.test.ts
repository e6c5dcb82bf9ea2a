import { once } from "node:events";
import http2, { type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { upstreamCalls } from "./calls.ts";
import { headerField } from "./header-block.ts";
import { HeaderDecoder } from "./header-decoder.ts";
import { Pool } from "./pool.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const decode = (...blocks: string[]) => {
  const decoder = new HeaderDecoder();
  return blocks.map((block) => ({ ...decoder.decode(hex(block)) }));
};

describe("examples of RFC 7541", () => {
  test("C.4: requests with Huffman coding share a table", () => {
    expect(
      decode(
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ),
    ).toEqual([
      { ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "www.example.com" },
      {
        ":method": "GET",
        ":scheme": "http",
        ":path": "/",
        ":authority": "www.example.com",
        "cache-control": "no-cache",
      },
      {
        ":method": "GET",
        ":scheme": "https",
        ":path": "/index.html",
        ":authority": "www.example.com",
        "custom-key": "custom-value",
      },
    ]);
  });

  test("C.5: responses push each other's entries out of a small table", () => {
    // 3fe101: the table has 256 bytes.
    const [first, second, third] = decode(
      `3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133
       3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`.replaceAll("\n", ""),
      "4803 3330 37c1 c0bf",
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738
       666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33
       3630 303b 2076 6572 7369 6f6e 3d31`.replaceAll("\n", ""),
    );
    const location = "https://www.example.com";
    const date = "Mon, 21 Oct 2013 20:13:21 GMT";
    expect(first).toEqual({ ":status": 302, "cache-control": "private", date, location });
    expect(second).toEqual({ ":status": 307, "cache-control": "private", date, location });
    expect(third).toEqual({
      ":status": 200,
      "cache-control": "private",
      date: "Mon, 21 Oct 2013 20:13:22 GMT",
      location,
      "content-encoding": "gzip",
      "set-cookie": ["foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
    });
  });
});

test("repeated fields are one list, set-cookie several values, and some count once", () => {
  const decoder = new HeaderDecoder();
  const field = (name: string, value: string) => headerField(name, value);
  const block = [
    field("a", "1"),
    field("a", "2"),
    field("set-cookie", "x"),
    field("set-cookie", "y"),
    field("etag", "first"),
    field("etag", "second"),
  ].join("");
  expect({ ...decoder.decode(Buffer.from(block, "latin1")) }).toEqual({
    a: "1, 2",
    "set-cookie": ["x", "y"],
    etag: "first",
  });
});

test("names of objects are names of headers like others", () => {
  const block = headerField("__proto__", "1") + headerField("constructor", "2");
  const headers = new HeaderDecoder().decode(Buffer.from(block, "latin1"));
  expect(Object.entries(headers)).toEqual([
    ["__proto__", "1"],
    ["constructor", "2"],
  ]);
});

test.each([
  ["an index of nothing", "be"],
  ["index 0", "80"],
  ["an index beyond all", "ffffffff7f"],
  ["an endless index", "ffffffffffffffffffff"],
  ["a table larger than agreed", "3fe21f"],
  ["a resize after a field", "8220"],
  ["a string that is cut off", "000161 05 6162"],
  ["a field without a value", "000161"],
  ["a Huffman string with its end in it", "000161 84 ffffffff"],
  ["a Huffman string whose padding is not of ones", "000161 81 18"],
  ["a Huffman string with a byte of padding", "000161 82 1fff"],
])("%s is refused", (_what, block) => {
  expect(() => new HeaderDecoder().decode(hex(block))).toThrow();
});

test.each([["Upper"], ["with space"], [""], ["a:b"], ["a\nb"]])("a field named %j is malformed", (name) => {
  const literal = `\x00${String.fromCharCode(name.length)}${name}\x011`;
  const decoder = new HeaderDecoder();
  decoder.decode(Buffer.from(literal, "latin1"));
  expect(decoder.malformed).toBe(true);
  decoder.decode(hex("88"));
  expect(decoder.malformed).toBe(false);
});

test("headers that grow without end are refused, however small their blocks are", () => {
  const decoder = new HeaderDecoder();
  const long = "x".repeat(3_000);
  decoder.decode(Buffer.from(`\x40\x01a\x7f${String.fromCharCode(0xb9, 0x16)}${long}`, "latin1"));
  expect(() => decoder.decode(Buffer.alloc(40, 0xbe))).toThrow("too large");
});

test("whatever bytes come, it answers or throws", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HeaderDecoder();
      try {
        for (const block of blocks) decoder.decode(Buffer.from(block));
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 2_000, seed: 7 },
  );
});

test("understands every byte and what nghttp2 makes of its table", async () => {
  // Every byte that a value may have, in values that fill the table several times over.
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).filter(
    (one) => one === "\t" || (one >= " " && one !== "\x7f"),
  );
  const metadata = (call: number) =>
    Object.fromEntries(
      bytes.map((one, i) => [
        `x-${(i * 7 + call) % 50}-${i % 9}`,
        `${one}|${bytes[(i + call) % bytes.length]}|${call % 3}`,
      ]),
    );
  const server = http2.createServer();
  let calls = 0;
  server.on("stream", (stream: ServerHttp2Stream) => {
    const headers = metadata(calls++);
    stream.respond({ ":status": 200, "grpc-status": "0", ...headers }, { endStream: true });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    pool.destroy();
    server.close();
  });
  for (let call = 0; call < 8; call++) {
    const trailers = await new Promise<object>((resolve) => {
      const sink = {
        onHeaders() {},
        onData() {},
        onEnd: ({ trailers }: { trailers: object }) => resolve(trailers),
      };
      upstreamCalls(pool)("/p.S/M", {}, undefined, sink).end(Buffer.alloc(5));
    });
    expect(trailers).toMatchObject(metadata(call));
  }
});
