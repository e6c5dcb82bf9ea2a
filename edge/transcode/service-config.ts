import { type DescMethod, type DescService, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type HttpRule, HttpRuleSchema } from "#gen/google/api/http_pb.ts";

/**
 * Reads service configuration: `{"type":"google.api.Service","http":{"rules":[…]}}`, or its `http` part, or
 * the list of rules alone.
 * @throws Error that names the rule by its selector
 */
export function parseServiceConfig(json: unknown): HttpRule[] {
  const config = json as { http?: { rules?: unknown }; rules?: unknown } | null;
  const rules = Array.isArray(json) ? json : (config?.http?.rules ?? config?.rules ?? []);
  if (!Array.isArray(rules)) throw new Error("service configuration: http.rules must be a list");
  return rules.map((rule: JsonValue, i) => {
    try {
      return fromJson(HttpRuleSchema, rule);
    } catch (error) {
      const selector = (rule as { selector?: unknown } | null)?.selector;
      throw new Error(
        `http rule ${i + 1} for selector ${JSON.stringify(selector ?? "")}: ${(error as Error).message}`,
      );
    }
  });
}

/**
 * The rule each method has by service configuration. Rules apply in order, so the last one that selects a
 * method wins (google.api.Http.rules); it replaces the annotation and its additional bindings.
 * @throws Error for a selector that is malformed or selects nothing
 */
export function selectRules(
  rules: readonly HttpRule[],
  services: readonly DescService[],
): Map<DescMethod, HttpRule> {
  const methods = services.flatMap((service) => service.methods);
  const selected = new Map<DescMethod, HttpRule>();
  for (const rule of rules) {
    for (const pattern of rule.selector.split(",").map((text) => text.trim())) {
      for (const method of matching(pattern, methods)) selected.set(method, rule);
    }
  }
  return selected;
}

/** Selector grammar of google/api/documentation.proto: a name, `*` allowed only as the whole last component. */
function matching(pattern: string, methods: readonly DescMethod[]): DescMethod[] {
  if (pattern === "") throw new Error("http rule: the selector is empty");
  if (!/^(?:[A-Za-z_]\w*\.)*(?:\*|[A-Za-z_]\w*)$/.test(pattern)) {
    throw new Error(`http rule for selector "${pattern}": a wildcard must be the whole last component`);
  }
  const prefix = pattern.endsWith("*") ? pattern.slice(0, -1) : undefined;
  const found = methods.filter((method) => {
    const name = `${method.parent.typeName}.${method.name}`;
    return prefix === undefined ? name === pattern : name.startsWith(prefix);
  });
  if (found.length === 0) throw new Error(`http rule for selector "${pattern}": no such method`);
  return found;
}
