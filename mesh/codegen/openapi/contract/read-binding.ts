/** google.api.HttpRule, with its additional bindings, resolved against the message types. */
import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import { apiPath, boundFields } from "./api-path.ts";
import type { ApiPath, Body, FieldPath } from "./model.ts";
import { parsePathTemplate } from "./path-template.ts";
import { queryFields } from "./query-fields.ts";

export interface Binding {
  /** As in the rule: upper case for the standard ones, "*" for any. */
  readonly httpMethod: string;
  readonly template: string;
  readonly path: ApiPath;
  readonly query: readonly FieldPath[];
  readonly body: Body | undefined;
  readonly responseBody: DescField | undefined;
}

/**
 * All bindings of a rule, its own first.
 * @throws Error naming the method and what does not resolve
 */
export function readBindings(method: DescMethod, rule: HttpRule): Binding[] {
  try {
    return [rule, ...rule.additionalBindings].map((each) => readBinding(method, each));
  } catch (error) {
    throw new Error(`${method.parent.typeName}.${method.name}: google.api.http: ${(error as Error).message}`);
  }
}

function readBinding({ input, output }: DescMethod, rule: HttpRule): Binding {
  const { httpMethod, template } = patternOf(rule);
  const parsed = parsePathTemplate(template);
  const inPath = boundFields(parsed, input);
  const body = bodyOf(rule.body, input, inPath);
  const whole = body && !body.field;
  const taken: FieldPath[] = body?.field ? [...inPath, [body.field]] : inPath;
  return {
    httpMethod,
    template,
    path: apiPath(parsed, input),
    query: whole ? [] : queryFields(input, taken),
    body,
    responseBody: rule.responseBody ? topLevel(output, rule.responseBody, "response_body") : undefined,
  };
}

function patternOf({ pattern }: HttpRule): { httpMethod: string; template: string } {
  if (pattern.case === undefined) throw new Error("the rule has no pattern");
  if (pattern.case === "custom") return { httpMethod: pattern.value.kind, template: pattern.value.path };
  return { httpMethod: pattern.case.toUpperCase(), template: pattern.value };
}

function bodyOf(body: string, input: DescMessage, inPath: readonly FieldPath[]): Body | undefined {
  if (!body) return undefined;
  if (body === "*") return { field: undefined, inPath };
  const field = topLevel(input, body, "body");
  const inside = inPath.filter(([first, second]) => first === field && second);
  return { field, inPath: inside.map((path) => path.slice(1) as unknown as FieldPath) };
}

function topLevel(message: DescMessage, name: string, what: string): DescField {
  const field = message.fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`${what}: ${message.typeName} has no field "${name}"`);
  return field;
}
