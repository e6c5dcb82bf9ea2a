/** A call of a method as REST has it, by its google.api.http rule. */
import type { DescField, DescMessage, DescMethod, JsonObject, JsonValue, Registry } from "@bufbuild/protobuf";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import { readOption } from "../../mesh/codegen/read-option.ts";

export interface RestCall {
  readonly verb: string;
  /** With its query. */
  readonly path: string;
  /** Undefined: none is sent. */
  readonly body: JsonValue | undefined;
}

/**
 * Path variables and body are taken from the message, what is left is the query.
 * @returns undefined where the method has no REST path, or the message no value for a variable of it
 */
export function restCallOf(
  method: DescMethod,
  message: JsonObject,
  registry: Registry,
): RestCall | undefined {
  const rule = readOption<HttpRule>(registry, method, "google.api.http");
  if (!rule?.pattern.case) return undefined;
  const { case: kind, value } = rule.pattern;
  const [verb, template] = kind === "custom" ? [value.kind, value.path] : [kind.toUpperCase(), value];
  const left = structuredClone(message);
  let missing = false;
  const path = template.replace(/\{([\w.]+)(?:=([^}]*))?\}/g, (_, field: string, pattern = "*") => {
    const taken = take(left, method, field.split("."));
    if (typeof taken !== "string" && typeof taken !== "number") missing = true;
    // A variable of several segments keeps their slashes.
    const segments =
      pattern.includes("/") || pattern.includes("**") ? String(taken).split("/") : [String(taken)];
    return segments.map(encodeURIComponent).join("/");
  });
  if (missing) return undefined;
  if (rule.body === "*") return { verb, path, body: left };
  const body = rule.body === "" ? undefined : (take(left, method, [rule.body]) ?? {});
  const query = [...parametersOf(left)].join("&");
  return { verb, path: query === "" ? path : `${path}?${query}`, body };
}

/** Takes a field out of the message, by its path in the contract; names in JSON may be of either form. */
function take(message: JsonObject, { input }: DescMethod, path: readonly string[]): JsonValue | undefined {
  let desc: DescMessage | undefined = input;
  let within: JsonObject = message;
  for (const [index, name] of path.entries()) {
    const field: DescField | undefined = desc?.fields.find((each) => each.name === name);
    const key: string = field && field.jsonName in within ? field.jsonName : name;
    const value: JsonValue | undefined = within[key];
    if (index === path.length - 1) {
      delete within[key];
      return value;
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    desc = field?.message;
    within = value;
  }
  return undefined;
}

/** "a.b=c" for each value; a list gives one for each of its values. */
function* parametersOf(message: JsonObject, prefix = ""): Generator<string> {
  for (const [name, value] of Object.entries(message)) {
    const key = prefix + name;
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each === null) continue;
      if (typeof each !== "object") yield `${encodeURIComponent(key)}=${encodeURIComponent(String(each))}`;
      // A list of messages has no place in a query.
      else if (!Array.isArray(value)) yield* parametersOf(each as JsonObject, `${key}.`);
    }
  }
}
