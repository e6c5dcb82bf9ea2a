import type { DescMessage } from "@bufbuild/protobuf";
import type { Json } from "../schema/json.ts";
import { wrappedScalar } from "../schema/well-known.ts";
import { exampleOfScalar } from "./example-of-scalar.ts";

const examples: Readonly<Record<string, Json>> = {
  "google.protobuf.Timestamp": "2026-01-15T09:30:00Z",
  "google.protobuf.Duration": "1.5s",
  "google.protobuf.FieldMask": "displayName",
  "google.protobuf.Struct": { key: "value" },
  "google.protobuf.Value": "value",
  "google.protobuf.ListValue": ["value"],
  "google.protobuf.Any": { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1.5s" },
  "google.type.Money": { currencyCode: "USD", units: "12", nanos: 500_000_000 },
};

/** Example of a message whose JSON form or meaning its fields do not tell; undefined for every other one. */
export function wellKnownExample(desc: DescMessage): Json | undefined {
  const wrapped = wrappedScalar(desc);
  return wrapped === undefined ? examples[desc.typeName] : exampleOfScalar(wrapped, undefined, "value");
}
