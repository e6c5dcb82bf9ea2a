import type { BytesRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";
import { said } from "./said.ts";

/** Bytes, base64 in JSON: with padding when written, with or without when read. */
export function bytesRules(schema: Schema, rules: BytesRules): Constrained {
  const least = said(rules, "len") ?? said(rules, "minLen");
  const most = said(rules, "len") ?? said(rules, "maxLen");
  const exact = said(rules, "const");
  const kind = rules.wellKnown.case;
  const notes = [
    ...(least !== undefined && least === most ? [`${least} bytes.`] : []),
    ...(least !== undefined && least !== most ? [`At least ${least} bytes.`] : []),
    ...(most !== undefined && least !== most ? [`At most ${most} bytes.`] : []),
    ...(said(rules, "pattern") ? [`The bytes must match \`${rules.pattern}\` (RE2).`] : []),
    ...(["prefix", "suffix", "contains"] as const).flatMap((name) => {
      const value = said(rules, name);
      return value?.length
        ? [`The bytes must have the ${name === "contains" ? "part" : name} \`${base64(value)}\`.`]
        : [];
    }),
    ...(kind && rules.wellKnown.value
      ? [
          `${{ ip: "An IPv4 or IPv6 address", ipv4: "An IPv4 address", ipv6: "An IPv6 address", uuid: "A UUID" }[kind]} in bytes.`,
        ]
      : []),
  ];
  return {
    schema: {
      ...schema,
      minLength: least ? Math.ceil((Number(least) * 4) / 3) : undefined,
      maxLength: most === undefined ? undefined : Math.ceil(Number(most) / 3) * 4,
      const: exact ? base64(exact) : undefined,
      enum: rules.in.length > 0 ? rules.in.map(base64) : undefined,
      not: rules.notIn.length > 0 ? { enum: rules.notIn.map(base64) } : undefined,
    },
    notes,
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
