import { type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Access, Owner } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Problems } from "../contract/problems.ts";
import type { CheckedMethod } from "./check-contract.ts";

/** A method has one rule for its users, and the rule can be obeyed. */
export function checkAccess({ desc, own, defaults }: CheckedMethod, problems: Problems): void {
  const add = (problem: string, instead: string) =>
    problems.add({ desc, option: "access", problem, instead });
  const rule: Access["rule"] | undefined = (own.access ?? defaults.access)?.rule;
  switch (rule?.case) {
    case undefined:
      add(
        "is missing: nobody could call the method",
        "access: {public: true}, {signed_in: true}, {roles: {any_of: [...]}}, {owner: {...}} or {service_only: true}",
      );
      break;
    case "public":
    case "signedIn":
    case "serviceOnly":
      if (!rule.value) add("is false, which says nothing", "true, or another rule");
      break;
    case "roles":
      if (rule.value.anyOf.length === 0)
        add("names no role: nobody could call the method", 'any_of: ["admin"]');
      for (const role of rule.value.anyOf.filter((name) => name === "" || name.includes("*")))
        add(
          `names the role "${role}"; meshes read "*" as any text, and no text as nothing`,
          'whole names: ["admin", "clerk"]',
        );
      break;
    case "owner":
      checkOwner(desc, rule.value, add);
  }
}

function checkOwner(
  { input, output }: CheckedMethod["desc"],
  { location }: Owner,
  add: (problem: string, instead: string) => void,
): void {
  if (location.case === undefined)
    return add("does not say where the owner's id stands", "request_field, response_field or subject: true");
  if (location.case === "subject") {
    if (!location.value) add("has subject: false, which says nothing", "subject: true");
    return;
  }
  const message = location.case === "requestField" ? input : output;
  if (!isStringField(message, location.value))
    add(
      `names "${location.value}", which is no string field of ${message.typeName}`,
      `one of ${stringFields(message).join(", ") || "another rule: the message has no string field"}`,
    );
}

function isStringField(message: DescMessage, path: string): boolean {
  const [first, ...rest] = path.split(".");
  const field = message.fields.find(({ name }) => name === first);
  if (!field) return false;
  if (rest.length === 0) return field.fieldKind === "scalar" && field.scalar === ScalarType.STRING;
  return field.fieldKind === "message" && isStringField(field.message, rest.join("."));
}

function stringFields({ fields }: DescMessage): string[] {
  return fields
    .filter((field) => field.fieldKind === "scalar" && field.scalar === ScalarType.STRING)
    .map(({ name }) => `"${name}"`);
}
