import {
  create,
  createFileRegistry,
  createRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, StructSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageArbitrary } from "../../test/fuzz/message-arbitrary.ts";
import { messageType, PACKAGE, registry } from "../../test/transcode/schema.ts";
import { fromBytes } from "./byte-text.ts";
import { type JsonStyle, MessageDecoders } from "./message-decoder.ts";
import { WireReader } from "./wire-reader.ts";

const everything = messageType(`${PACKAGE}.Everything`);

/** `message Tree { Tree child = 1; string name = 2; }` */
const tree = createFileRegistry(
  fromJson(FileDescriptorSetSchema, {
    file: [
      {
        name: "tree.proto",
        syntax: "proto3",
        messageType: [
          {
            name: "Tree",
            field: [
              {
                name: "child",
                jsonName: "child",
                number: 1,
                type: "TYPE_MESSAGE",
                typeName: ".Tree",
                label: "LABEL_OPTIONAL",
              },
              { name: "name", jsonName: "name", number: 2, type: "TYPE_STRING", label: "LABEL_OPTIONAL" },
            ],
          },
        ],
      },
    ],
  }),
).getMessage("Tree")!;

function decoders(style: Partial<JsonStyle> = {}): MessageDecoders {
  return new MessageDecoders(registry, {
    protoNames: false,
    enumsAsInts: false,
    emitDefaults: false,
    ...style,
  });
}

const jsonOf = (type: DescMessage, bytes: Uint8Array, style?: Partial<JsonStyle>): JsonObject =>
  JSON.parse(fromBytes(decoders(style).json(type, Buffer.from(bytes))));

/** The fields of a message on the wire, one by one. */
function fieldsOf(bytes: Uint8Array): Buffer[] {
  const reader = new WireReader(Buffer.from(bytes));
  const fields: Buffer[] = [];
  while (reader.pos < reader.end) {
    const start = reader.pos;
    reader.skip(reader.varint32() & 7);
    fields.push(reader.bytes.subarray(start, reader.pos));
  }
  return fields;
}

/** Field 536,870,911 of each wire type, which no message here has. */
const unknown = ["f8ffffff0f01", "f9ffffff0f0102030405060708", "faffffff0f0161", "fdffffff0f01020304"];

/** Wire bytes that mean something but that no encoder writes: shuffled, repeated, with what is unknown. */
const untidy = fc
  .tuple(
    fc.array(messageArbitrary(everything), { minLength: 1, maxLength: 3 }),
    fc.subarray(unknown),
    fc.infiniteStream(fc.nat()),
  )
  .map(([messages, strange, numbers]) => {
    const fields = messages.flatMap((message) => fieldsOf(toBinary(everything, message)));
    fields.push(...strange.map((hex) => Buffer.from(hex, "hex")));
    const placed = fields.map((field) => ({ field, place: numbers.next().value as number }));
    return Buffer.concat(placed.sort((a, b) => a.place - b.place).map(({ field }) => field));
  });

test.each<[Partial<JsonStyle>]>([[{}], [{ emitDefaults: true }], [{ protoNames: true, enumsAsInts: true }]])(
  "bytes in whatever order mean the same as to protobuf-es (%j)",
  (style) => {
    fc.assert(
      fc.property(untidy, (bytes) => {
        const expected = fromBinary(everything, bytes, { readUnknownFields: false });
        const json = jsonOf(everything, bytes, style);
        // By value: floats have several texts.
        const read = toBinary(everything, fromJson(everything, json, { registry }));
        expect(Buffer.from(read)).toEqual(Buffer.from(toBinary(everything, expected)));
        const members = toJson(everything, expected, {
          alwaysEmitImplicit: style.emitDefaults ?? false,
          useProtoFieldName: style.protoNames ?? false,
        });
        expect(Object.keys(json).sort()).toEqual(Object.keys(members as JsonObject).sort());
      }),
      { numRuns: 200, seed: 11 },
    );
  },
);

test("members stand in the order of their field numbers", () => {
  const fields = fieldsOf(toBinary(everything, fromJson(everything, { i32: 1, name: "a", flag: true })));
  const text = decoders().json(everything, Buffer.concat(fields));
  expect(decoders().json(everything, Buffer.concat(fields.reverse()))).toBe(text);
});

describe("time grows with the size of a message only", () => {
  const NAME = Buffer.from("12016e", "hex");
  const child = (inner: Buffer): Buffer => {
    const length: number[] = [];
    let rest = inner.length;
    for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
    return Buffer.from([0x0a, ...length, rest, ...inner]);
  };
  const nested = (depth: number, wrap: (inner: Buffer) => Buffer): Buffer => {
    let bytes: Buffer = Buffer.alloc(0);
    for (let i = 0; i < depth; i++) bytes = wrap(bytes);
    return bytes;
  };

  test("when a message comes in many parts", () => {
    const parts = Buffer.concat(Array<Buffer>(100_000).fill(child(child(NAME))));
    expect(jsonOf(tree, parts)).toEqual({ child: { child: { name: "n" } } });
  });

  test("when every level is out of order", () => {
    const json = JSON.stringify(
      jsonOf(
        tree,
        nested(200, (inner) => Buffer.concat([NAME, child(inner)])),
      ),
    );
    expect(json.split('"name"')).toHaveLength(201);
  });

  test("when every level comes in two parts", () => {
    const bytes = nested(60, (inner) => Buffer.concat([child(inner), child(Buffer.alloc(0))]));
    expect(JSON.stringify(jsonOf(tree, bytes)).split('"child"')).toHaveLength(61);
  });
});

test.each([
  ["short", 10],
  ["long", 1_000],
])("%s strings are escaped like JSON.stringify does", (_what, length) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: length / 2, maxLength: length }), (drawn) => {
      const text = drawn.toWellFormed();
      const bytes = toBinary(everything, create(everything, { name: text } as Record<string, unknown>));
      const json = fromBytes(decoders().json(everything, Buffer.from(bytes)));
      expect(json).toBe(text === "" ? "{}" : JSON.stringify({ name: text }));
    }),
    { numRuns: 200, seed: 3 },
  );
});

test("a large reply leaves no large buffer, and the next one is right", () => {
  const all = decoders();
  const big = Buffer.from(
    toBinary(everything, create(everything, { name: "ü".repeat(2_000_000) } as Record<string, unknown>)),
  );
  expect(all.json(everything, big)).toHaveLength(4_000_000 + '{"name":""}'.length);
  expect(
    all.json(
      everything,
      Buffer.from(toBinary(everything, create(everything, { i32: -7 } as Record<string, unknown>))),
    ),
  ).toBe('{"i32":-7}');
});

test("a key of a Struct that comes twice counts once, with its last value", () => {
  const struct = fieldsOf(toBinary(StructSchema, fromJson(StructSchema, { a: 1, b: [true, null, "x"] })));
  const again = fieldsOf(toBinary(StructSchema, fromJson(StructSchema, { a: { c: 2.5 } })));
  const bytes = Buffer.concat([...struct, ...again]);
  const style = { protoNames: false, enumsAsInts: false, emitDefaults: false };
  const text = new MessageDecoders(createRegistry(StructSchema), style).json(StructSchema, bytes);
  expect(text).toBe('{"a":{"c":2.5},"b":[true,null,"x"]}');
});
