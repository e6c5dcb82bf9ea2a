import { METHODS } from "node:http";
import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  type DescService,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { http } from "#gen/google/api/annotations_pb.ts";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import { type PathTemplate, parseTemplate } from "./path-template.ts";
import { selectRules } from "./service-config.ts";
import { isTextMessage } from "./text-message.ts";

/** One HTTP binding of one RPC, checked against the message types. */
export interface Binding {
  readonly method: DescMethod;
  /** HTTP method, "*" for any. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** Fields of each template variable, outermost first; same order as `template.variables`. */
  readonly variableFields: readonly (readonly DescField[])[];
  /** "*" for the whole request message, a field for its value, undefined for no body. */
  readonly body: "*" | DescField | undefined;
  readonly responseBody: DescField | undefined;
}

/**
 * All bindings of the services' methods: the annotation, or what service configuration says instead.
 * @throws Error naming the selector and the path or field of a rule that must be refused
 */
export function collectBindings(
  services: readonly DescService[],
  configured: readonly HttpRule[],
): Binding[] {
  const overrides = selectRules(configured, services);
  return services.flatMap((service) =>
    service.methods.flatMap((method) => {
      const rule = overrides.get(method) ?? (hasOption(method, http) ? getOption(method, http) : undefined);
      if (!rule) return [];
      try {
        return bindingsOf(method, rule);
      } catch (error) {
        throw new Error(
          `http rule for "${method.parent.typeName}.${method.name}": ${(error as Error).message}`,
        );
      }
    }),
  );
}

function bindingsOf(method: DescMethod, rule: HttpRule): Binding[] {
  if (method.methodKind === "bidi_streaming")
    throw new Error("a bidirectional stream cannot have an HTTP rule");
  const bindings = [bindingOf(method, rule)];
  for (const additional of rule.additionalBindings) {
    if (additional.selector) throw new Error(`additional binding has a selector "${additional.selector}"`);
    if (additional.additionalBindings.length > 0) throw new Error("additional bindings must not be nested");
    bindings.push(bindingOf(method, additional));
  }
  return bindings;
}

function bindingOf(method: DescMethod, rule: HttpRule): Binding {
  const { httpMethod, path } = patternOf(rule);
  const template = parseTemplate(path);
  if (rule.body && (httpMethod === "GET" || httpMethod === "HEAD")) {
    throw new Error(`path "${path}": ${httpMethod} must not have a body ("${rule.body}")`);
  }
  const fields = template.variables.map((variable) => variableFields(method.input, variable.path, path));
  const body =
    rule.body === "*" || rule.body === ""
      ? rule.body || undefined
      : topLevel(method.input, rule.body, "body");
  refuseOneofs(typeof body === "object" ? [...fields, [body]] : fields, path);
  return {
    method,
    httpMethod,
    template,
    variableFields: fields,
    body,
    responseBody: rule.responseBody ? topLevel(method.output, rule.responseBody, "response_body") : undefined,
  };
}

function patternOf(rule: HttpRule): { httpMethod: string; path: string } {
  const { pattern } = rule;
  if (pattern.case === undefined) throw new Error(`selector "${rule.selector}": the rule has no pattern`);
  if (pattern.case !== "custom") return { httpMethod: pattern.case.toUpperCase(), path: pattern.value };
  const { kind, path } = pattern.value;
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(kind))
    throw new Error(`path "${path}": custom kind "${kind}" is no HTTP method`);
  if (kind !== "*" && (!METHODS.includes(kind) || kind === "CONNECT" || kind === "TRACE")) {
    throw new Error(`path "${path}": custom kind "${kind}" cannot be served over HTTP/1.1`);
  }
  return { httpMethod: kind, path };
}

/** http.proto: a variable names a leaf that is neither repeated nor a message; messages with a string form are allowed. */
function variableFields(message: DescMessage, path: readonly string[], template: string): DescField[] {
  const fields: DescField[] = [];
  let current: DescMessage | undefined = message;
  for (const [i, name] of path.entries()) {
    const where = `path "${template}": variable "${path.join(".")}"`;
    const field: DescField | undefined = current?.fields.find((candidate) => candidate.name === name);
    if (!field) throw new Error(`${where}: no field "${name}" in ${current?.typeName ?? "a scalar"}`);
    if (field.fieldKind === "list" || field.fieldKind === "map")
      throw new Error(`${where}: "${name}" is repeated`);
    fields.push(field);
    current = field.message;
    if (i === path.length - 1 && current && !isTextMessage(current))
      throw new Error(`${where}: "${name}" is a message`);
  }
  return fields;
}

/** No request could fill two members of a oneof. */
function refuseOneofs(paths: readonly (readonly DescField[])[], template: string): void {
  const members = new Map<DescOneof, Map<string, DescField>>();
  for (const path of paths) {
    path.forEach((field, i) => {
      if (!field.oneof) return;
      // A message may occur in several places; each of them has a oneof of its own.
      const place = path
        .slice(0, i)
        .map(({ name }) => name)
        .join(".");
      const others = members.get(field.oneof) ?? new Map<string, DescField>();
      members.set(field.oneof, others);
      const other = others.get(place) ?? field;
      others.set(place, other);
      if (other !== field)
        throw new Error(
          `path "${template}": "${other.name}" and "${field.name}" are members of one oneof, "${field.oneof.name}"`,
        );
    });
  }
}

function topLevel(message: DescMessage, name: string, what: string): DescField {
  const field = message.fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`${what} "${name}": no such field at the top level of ${message.typeName}`);
  return field;
}
