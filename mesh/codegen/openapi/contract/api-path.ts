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

/** What the operations of one path item have in common. */
export interface SharedPath {
  /** Names of the parameters, in order. */
  readonly names: readonly string[];
}

/**
 * For each shape the names of its parameters: those that the templates give, or, where they differ, what the
 * literal before says.
 */
export function sharedPaths(paths: readonly ApiPath[]): Map<string, SharedPath> {
  const byShape = Map.groupBy(paths, pathShape);
  return new Map([...byShape].map(([shape, alike]) => [shape, { names: agreedNames(alike) }]));
}

function agreedNames(alike: readonly ApiPath[]): string[] {
  const [first = { literals: [], parameters: [] }] = alike;
  const names: string[] = [];
  for (const [i, { name }] of first.parameters.entries()) {
    const agreed = alike.every(({ parameters }) => parameters[i]?.name === name);
    names.push(unique(agreed ? name : nameAfter(first.literals[i]?.split("/").at(-2)), names));
  }
  return names;
}

function nameAfter(literal: string | undefined): string {
  return literal ? `${camelCase(literal)}Id` : "segment";
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
  const name = field?.map((part) => part.jsonName).join(".") ?? nameAfter(before?.literal);
  const partOf = variable && !whole ? `{${variable.path}=${variable.pattern}}` : "";
  const names = taken.map((each) => each.name);
  return { name: unique(name, names), field, partOf, manySegments: many };
}

function camelCase(text: string): string {
  return text
    .replace(/%[0-9A-Fa-f]{2}/g, "")
    .replace(/[^A-Za-z0-9]+(.?)/g, (_, next: string) => next.toUpperCase());
}

function unique(name: string, taken: readonly string[]): string {
  let candidate = name;
  for (let i = 2; taken.includes(candidate); i++) candidate = `${name}${i}`;
  return candidate;
}
