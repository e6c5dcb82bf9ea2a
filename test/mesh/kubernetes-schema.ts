/** Objects against the schemas of their kinds, as strictly as an API server with strict field validation. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { celProblems } from "./cel-rules.ts";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  readonly [part: string]: unknown;
}

export type Schema = { [key: string]: unknown };

const folder = join(import.meta.dirname, "schemas");
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const known = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")))
    .map(({ apiVersion, kind, schema }) => [`${apiVersion} ${kind}`, schema as Schema]),
);
const validators = new Map<string, ValidateFunction>();

/** What an API server would refuse about the object; empty when it would take it. */
export function problemsOf(object: KubernetesObject): string[] {
  const type = `${object.apiVersion} ${object.kind}`;
  const name = `${object.kind}/${object.metadata?.name}`;
  const schema = known.get(type);
  if (!schema) return [`${name}: no schema for ${type}`];
  let validate = validators.get(type);
  if (!validate) {
    validate = ajv.compile(withMetadata(strict(schema) as Schema));
    validators.set(type, validate);
  }
  validate(object);
  const found = (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${name}${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
  return [...found, ...celProblems(schema, object).map((problem) => `${name}: ${problem}`)];
}

/** Definitions of custom kinds leave metadata to the API server. */
function withMetadata(schema: Schema): Schema {
  const strings = { type: "object", additionalProperties: { type: "string" } };
  const name = { type: "string", maxLength: 253, pattern: "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" };
  const metadata = {
    type: "object",
    properties: { name, namespace: { ...name, maxLength: 63 }, labels: strings, annotations: strings },
    required: ["name"],
    additionalProperties: false,
  };
  return { ...schema, properties: { apiVersion: {}, kind: {}, ...(schema.properties as Schema), metadata } };
}

/** Unknown fields fail, unless the definition keeps them. */
function strict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strict);
  if (typeof value !== "object" || value === null) return value;
  const schema = value as Schema;
  const result: Schema = Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== "default" && key !== "format")
      .map(([key, item]) => [key, strict(item)]),
  );
  if (schema["x-kubernetes-int-or-string"] === true) {
    delete result.type;
    result.anyOf = [{ type: "integer" }, { type: "string" }, { type: "number" }];
  }
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || "additionalProperties" in schema;
  if (typeof schema.properties === "object" && "type" in schema && schema.type === "object" && !open)
    result.additionalProperties = false;
  return result;
}
