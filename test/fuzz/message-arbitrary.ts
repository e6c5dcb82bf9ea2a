/** Random messages of any type, from its descriptor. */
import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  type MessageInitShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import fc, { type Arbitrary } from "fast-check";

/** Strings of whole characters, since ProtoJSON has no others. */
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.nat(2 ** 32 - 1);
const nanos = fc.nat(999_999_999);

const scalars: Record<ScalarType, Arbitrary<unknown>> = {
  // JSON.stringify makes 0 of -0.
  [ScalarType.DOUBLE]: fc.double({ noNaN: true }).map((value) => value || 0),
  [ScalarType.FLOAT]: fc.float({ noNaN: true }).map((value) => value || 0),
  [ScalarType.INT64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.INT32]: int32,
  [ScalarType.FIXED64]: uint64,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.STRING]: text,
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 12 }),
  [ScalarType.UINT32]: uint32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.SINT32]: int32,
  [ScalarType.SINT64]: int64,
};

/** Types whose JSON form allows less than their fields do. */
const wellKnown: Record<string, Arbitrary<Record<string, unknown>>> = {
  "google.protobuf.Timestamp": fc.record({
    seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
    nanos,
  }),
  "google.protobuf.Duration": fc
    .record({ seconds: fc.bigInt({ min: 0n, max: 315_576_000_000n }), nanos, negative: fc.boolean() })
    .map(({ seconds, nanos: part, negative }) =>
      // The largest duration has no fraction.
      seconds === 315_576_000_000n || !negative
        ? { seconds, nanos: seconds === 315_576_000_000n ? 0 : part }
        : { seconds: -seconds, nanos: -part },
    ),
  "google.protobuf.FieldMask": fc.record({
    paths: fc.array(fc.constantFrom("display_name", "sub.long_name", "tags"), { maxLength: 3 }),
  }),
};

/** Has a JSON form of its own and no limit on depth, or none that can be told apart from absence. */
const left = new Set([
  "google.protobuf.Struct",
  "google.protobuf.Value",
  "google.protobuf.ListValue",
  "google.protobuf.NullValue",
  "google.protobuf.Any",
]);

/** @param depth levels of messages that may still follow */
export function messageArbitrary(type: DescMessage, depth = 2): Arbitrary<Message> {
  const known = wellKnown[type.typeName];
  if (known) return known.map((init) => create(type, init as MessageInitShape<DescMessage>));
  const members = type.fields.flatMap((field) => {
    const value = fieldArbitrary(field, depth);
    return value ? [fc.tuple(fc.constant(field), value)] : [];
  });
  if (members.length === 0) return fc.constant(create(type));
  return fc.array(fc.oneof(...members), { maxLength: 6 }).map((chosen) => {
    const init: Record<string, unknown> = {};
    for (const [field, value] of chosen) {
      if (field.oneof) init[field.oneof.localName] = { case: field.localName, value };
      else init[field.localName] = value;
    }
    return create(type, init as MessageInitShape<DescMessage>);
  });
}

/** Undefined for fields that are left out. */
function fieldArbitrary(field: DescField, depth: number): Arbitrary<unknown> | undefined {
  const one = valueArbitrary(field, depth);
  if (!one) return undefined;
  if (field.fieldKind === "list") return fc.array(one, { maxLength: 3 });
  if (field.fieldKind !== "map") return one;
  const key = scalars[field.mapKey].map(String);
  return fc.dictionary(key, one, { maxKeys: 3, noNullPrototype: true });
}

function valueArbitrary(field: DescField, depth: number): Arbitrary<unknown> | undefined {
  if (field.scalar) return scalars[field.scalar];
  if (field.enum) {
    // Open enums: numbers without a name are kept, too.
    if (left.has(field.enum.typeName)) return undefined;
    return fc.oneof(fc.constantFrom(...field.enum.values.map(({ number }) => number)), int32);
  }
  if (!field.message || left.has(field.message.typeName)) return undefined;
  // protobuf-es holds singular wrapper fields unwrapped.
  if (isWrapperDesc(field.message) && field.fieldKind === "message" && !field.oneof)
    return scalars[field.message.fields[0]!.scalar!];
  if (depth === 0) return undefined;
  return messageArbitrary(field.message, depth - 1);
}
