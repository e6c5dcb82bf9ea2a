/**
 * What of a JSON value its schema does not allow, while it is being written. Only what a request's schema has: the
 * service itself checks everything again.
 */

/** Most findings: one wrong level makes many. */
const most = 20;

/** @returns {string[]} findings in words, each with the place: "items[0].quantity: must be an integer" */
export function findingsIn(text, schema) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [`not JSON: ${error.message.replace(/^JSON\.parse: /, "")}`];
  }
  const findings = [];
  check(value, schema, "", { root: schema, findings });
  return findings.slice(0, most);
}

/** The schema that a reference stands for. */
export function resolve(schema, root) {
  let found = schema;
  for (let depth = 0; found?.$ref && depth < 10; depth++) {
    const target = root.$defs?.[found.$ref.replace("#/$defs/", "")];
    const { $ref: _, ...own } = found;
    found = target && { ...target, ...own };
  }
  return found ?? {};
}

function check(value, given, place, { root, findings }) {
  const schema = resolve(given, root);
  const say = (text) => findings.push(`${place || "the request"}: ${text}`);
  const inner = (each, of, name) => check(each, of, name, { root, findings });
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices && !choices.some((choice) => fits(value, choice, root))) say("is none of what it may be");
  for (const part of schema.allOf ?? []) inner(value, part, place);
  if (schema.enum && !schema.enum.includes(value)) return say(`must be one of ${schema.enum.join(", ")}`);
  if (schema.type && !isOfType(value, schema.type))
    return say(`must be ${[schema.type].flat().map(article).join(" or ")}`);
  if (typeof value === "string") checkText(value, schema, say);
  if (typeof value === "number") checkNumber(value, schema, say);
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) say(`needs at least ${schema.minItems}`);
    if (value.length > (schema.maxItems ?? Infinity)) say(`takes at most ${schema.maxItems}`);
    if (schema.items)
      for (const [index, each] of value.entries()) inner(each, schema.items, `${place}[${index}]`);
  } else if (typeof value === "object" && value !== null) {
    for (const name of schema.required ?? []) if (!(name in value)) say(`needs ${name}`);
    for (const [name, each] of Object.entries(value)) {
      const path = place ? `${place}.${name}` : name;
      if (schema.properties?.[name]) inner(each, schema.properties[name], path);
      else if (typeof schema.additionalProperties === "object")
        inner(each, schema.additionalProperties, path);
      else if (schema.properties && !schema.additionalProperties && !choices && !schema.allOf)
        say(`has no field ${name}`);
    }
  }
}

function fits(value, schema, root) {
  const findings = [];
  check(value, schema, "", { root, findings });
  return findings.length === 0;
}

function isOfType(value, type) {
  const actual = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return [type].flat().some((each) => each === actual || (each === "integer" && Number.isInteger(value)));
}

function checkText(value, { minLength, maxLength, pattern }, say) {
  const length = [...value].length;
  if (length < (minLength ?? 0))
    say(`needs at least ${minLength} ${minLength === 1 ? "character" : "characters"}`);
  if (length > (maxLength ?? Infinity)) say(`takes at most ${maxLength} characters`);
  if (pattern && !matchesPattern(value, pattern)) say(`must match ${pattern}`);
}

/** Patterns of RE2 that a browser does not know are left to the service. */
function matchesPattern(value, pattern) {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

function checkNumber(value, { minimum, maximum, exclusiveMinimum, exclusiveMaximum }, say) {
  if (value < minimum) say(`must be at least ${minimum}`);
  if (value > maximum) say(`must be at most ${maximum}`);
  if (value <= exclusiveMinimum) say(`must be above ${exclusiveMinimum}`);
  if (value >= exclusiveMaximum) say(`must be below ${exclusiveMaximum}`);
}

const article = (type) => (/^[aeiou]/.test(type) ? `an ${type}` : type === "null" ? type : `a ${type}`);
