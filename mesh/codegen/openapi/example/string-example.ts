import type { StringRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { said } from "../rules/said.ts";
import { matchPattern } from "./pattern-example.ts";

const uuid = "01890a5d-ac96-774b-bcce-b302099a8057";

const ofKind: Readonly<Record<string, string>> = {
  email: "reader@example.com",
  hostname: "example.com",
  ip: "192.0.2.1",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/path",
  uriRef: "/path",
  address: "example.com",
  uuid,
  tuuid: uuid.replaceAll("-", ""),
  ulid: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  protobufFqn: "google.rpc.Status",
  protobufDotFqn: ".google.rpc.Status",
  ipWithPrefixlen: "192.0.2.1/24",
  ipv4WithPrefixlen: "192.0.2.1/24",
  ipv6WithPrefixlen: "2001:db8::1/64",
  ipPrefix: "192.0.2.0/24",
  ipv4Prefix: "192.0.2.0/24",
  ipv6Prefix: "2001:db8::/64",
  hostAndPort: "example.com:443",
  wellKnownRegex: "Example-Name",
};

/** Fields whose name says what they hold, without a rule. */
const ofName: readonly [RegExp, string][] = [
  [/(^|_)ids?$/, uuid],
  [/(^|_)email$/, "reader@example.com"],
  [/(^|_)(uri|url)$/, "https://example.com/path"],
  [/(^|_)etag$/, '"33a64df5"'],
  [/(^|_)token$/, "c29tZS10b2tlbg"],
];

/**
 * A string that the rules allow, as far as can be found.
 * @param name of the field, in proto's form
 */
export function exampleOfString(rules: StringRules | undefined, name: string): string {
  const kind = rules?.wellKnown.case;
  if (kind && rules.wellKnown.value) return ofKind[kind] ?? "";
  const pattern = rules && said(rules, "pattern");
  const matching = pattern ? matchPattern(pattern) : undefined;
  if (matching !== undefined) return matching;
  const words = ofName.find(([names]) => names.test(name))?.[1] ?? name.replaceAll("_", " ");
  return rules ? fitLength(words, rules) : words;
}

function fitLength(words: string, rules: StringRules): string {
  const exact = said(rules, "len");
  const least = Number(
    exact ?? said(rules, "minLen") ?? said(rules, "minBytes") ?? said(rules, "lenBytes") ?? 0n,
  );
  const most = Number(
    exact ??
      said(rules, "maxLen") ??
      said(rules, "maxBytes") ??
      said(rules, "lenBytes") ??
      words.length + least,
  );
  const [prefix, contains, suffix] = [
    said(rules, "prefix") ?? "",
    said(rules, "contains") ?? "",
    said(rules, "suffix") ?? "",
  ];
  const fixed = prefix.length + contains.length + suffix.length;
  const middle = words.padEnd(least - fixed, ".").slice(0, Math.max(most - fixed, 0));
  return `${prefix}${middle}${contains}${suffix}`;
}
