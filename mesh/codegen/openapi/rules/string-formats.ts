/** protovalidate's well-known strings as formats of JSON Schema, or as patterns where it has none. */
import { KnownRegex, type StringRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";

interface Format {
  readonly format?: string;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly notes: readonly string[];
}

const address = [{ format: "ipv4" }, { format: "ipv6" }];
const name = "[A-Za-z_][A-Za-z_0-9]*";

const formats: Readonly<Record<string, Omit<Format, "notes"> & { note?: string }>> = {
  email: { format: "email" },
  hostname: { format: "hostname" },
  ip: { anyOf: address },
  ipv4: { format: "ipv4" },
  ipv6: { format: "ipv6" },
  uri: { format: "uri" },
  uriRef: { format: "uri-reference" },
  address: { anyOf: [{ format: "hostname" }, ...address] },
  uuid: { format: "uuid" },
  tuuid: { pattern: "^[0-9a-fA-F]{32}$", note: "A UUID without dashes." },
  ulid: { pattern: "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$", note: "A ULID." },
  protobufFqn: { pattern: `^${name}(\\.${name})*$`, note: "The full name of a Protobuf element." },
  protobufDotFqn: {
    pattern: `^\\.${name}(\\.${name})*$`,
    note: "The full name of a Protobuf element, with a leading dot.",
  },
  ipWithPrefixlen: { note: "An IP address with the length of its prefix, such as 192.0.2.1/24." },
  ipv4WithPrefixlen: { note: "An IPv4 address with the length of its prefix, such as 192.0.2.1/24." },
  ipv6WithPrefixlen: { note: "An IPv6 address with the length of its prefix, such as 2001:db8::1/64." },
  ipPrefix: { note: "An IP prefix, such as 192.0.2.0/24." },
  ipv4Prefix: { note: "An IPv4 prefix, such as 192.0.2.0/24." },
  ipv6Prefix: { note: "An IPv6 prefix, such as 2001:db8::/64." },
  hostAndPort: { note: "A host and a port, such as example.com:443." },
};

/** What the well-known kind of a string says; nothing without one. */
export function stringFormat({ wellKnown }: StringRules): Format {
  if (wellKnown.case === undefined || !wellKnown.value) return { notes: [] };
  if (wellKnown.case === "wellKnownRegex") {
    return {
      notes: [
        wellKnown.value === KnownRegex.HTTP_HEADER_NAME
          ? "The name of an HTTP header."
          : "The value of an HTTP header.",
      ],
    };
  }
  const { note, ...format } = formats[wellKnown.case] ?? {};
  return { ...format, notes: note ? [note] : [] };
}
