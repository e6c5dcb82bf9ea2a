/** Lines of a shell that get $TOKEN by signing in. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { FieldPolicy } from "#gen/weft/policy/v1/policy_pb.ts";
import { readOption } from "../../mesh/codegen/read-option.ts";
import type { CopyPlace } from "./copy-call.ts";

/**
 * Signs in unless TOKEN is set. What the contract calls sensitive, the name of the account apart, is no part of it:
 * it stands as a variable of the field's name, such as $PASSWORD.
 */
export function signInLines(user: string, { system, contract }: CopyPlace): string {
  const { signIn, edge } = system;
  const account = signIn?.accounts[user];
  const method = signIn && contract.method(signIn.method);
  if (!signIn || !account || !method) return "# TOKEN: an access token\n";
  const secrets: string[] = [];
  const request = Object.entries(account as JsonObject).map(([name, value]) => {
    const field = method.input.fields.find(({ jsonName }) => jsonName === name);
    const policy = field && readOption<FieldPolicy>(contract.registry, field, "weft.policy.v1.field");
    if (!policy?.sensitive || value === user)
      return `${JSON.stringify(name)}:${JSON.stringify(value as JsonValue)}`;
    const variable = name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    secrets.push(variable);
    return `${JSON.stringify(name)}:"'"$${variable}"'"`;
  });
  return [
    `# Signs in as ${user}, unless TOKEN is set. To be set before: ${secrets.join(", ") || "nothing"}.`,
    `TOKEN=\${TOKEN:-$(curl -s ${quoted(`${edge.url}/${method.parent.typeName}/${method.name}`)} -H 'content-type: application/json' \\`,
    `  -d '{${request.join(",")}}' | sed 's/.*"${signIn.tokenField}": *"\\([^"]*\\)".*/\\1/')}`,
    "",
  ].join("\n");
}

/** A word for a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
