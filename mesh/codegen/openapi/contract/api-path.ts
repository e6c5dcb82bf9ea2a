/**
 * A path template as an OpenAPI path. OpenAPI's parameters end at a "/", so a variable of several segments
 * becomes a parameter per wildcard, named after the literal before it: `{name=shelves/*}` is
 * `shelves/{shelvesId}`.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { findField } from "./field-path.ts";
import type { ApiPath, FieldPath, PathParameter } from "./model.ts";
import type { PathTemplate, TemplateSegment } from "./path-template.ts";

/**
 * @throws Error for a variable that is no field of `input`
 */
export function apiPath(template: PathTemplate, input: DescMessage): ApiPath {
  const literals = [""];
  const parameters: PathParameter[] = [];
  template.segments.forEach((segment, i) => {
    literals[literals.length - 1] += `/${segment.literal ?? ""}`;
    if (segment.literal !== undefined) return;
    parameters.push(parameter(segment, template.segments[i - 1], input, parameters));
    literals.push("");
  });
  if (template.segments.length === 0) literals[0] = "/";
  if (template.verb) literals[literals.length - 1] += `:${template.verb}`;
  return { literals, parameters };
}

/** The fields that the variables of a template fill. */
export function boundFields(template: PathTemplate, input: DescMessage): FieldPath[] {
  const paths = new Set(template.segments.flatMap(({ variable }) => (variable ? [variable.path] : [])));
  return [...paths].map((path) => findField(input, path));
}

/** Path as a key of `paths`. */
export function pathText({ literals, parameters }: ApiPath): string {
  return literals.map((literal, i) => `${i > 0 ? `{${parameters[i - 1]?.name}}` : ""}${literal}`).join("");
}

/** Equal for paths that OpenAPI takes for identical: the names of parameters do not tell paths apart. */
export function pathShape({ literals }: ApiPath): string {
  return literals.join("{}");
}

function parameter(
  segment: TemplateSegment,
  before: TemplateSegment | undefined,
  input: DescMessage,
  taken: readonly PathParameter[],
): PathParameter {
  const { variable, many } = segment;
  const whole = variable && (variable.pattern === "*" || variable.pattern === "**");
  const field = whole ? findField(input, variable.path) : undefined;
  const name =
    field?.map((part) => part.jsonName).join(".") ??
    (before?.literal ? `${camelCase(before.literal)}Id` : "segment");
  const partOf = variable && !whole ? `{${variable.path}=${variable.pattern}}` : "";
  return { name: unique(name, taken), field, partOf, manySegments: many };
}

function camelCase(text: string): string {
  return text
    .replace(/%[0-9A-Fa-f]{2}/g, "")
    .replace(/[^A-Za-z0-9]+(.?)/g, (_, next: string) => next.toUpperCase());
}

function unique(name: string, taken: readonly PathParameter[]): string {
  const names = new Set(taken.map((parameter) => parameter.name));
  let candidate = name;
  for (let i = 2; names.has(candidate); i++) candidate = `${name}${i}`;
  return candidate;
}
