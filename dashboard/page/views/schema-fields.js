/** The fields of a request: name, type, bounds, what they mean. */

import { table } from "../parts/table.js";
import { el } from "../render.js";
import { resolve } from "./schema-check.js";

const deepest = 4;

export function schemaFields(schema) {
  const rows = fieldsOf(schema, schema, "", 0);
  if (rows.length === 0) return el("p", { class: "muted panel-body" }, "The request has no fields.");
  return table({
    label: "Fields of the request",
    of: rows,
    key: ({ name }) => name,
    columns: [
      {
        head: "Field",
        heading: true,
        cell: ({ name, required }) =>
          el("span", { class: "mono" }, name, required && el("span", { title: "required" }, " *")),
      },
      { head: "Type", cell: ({ type }) => el("span", { class: "mono" }, type) },
      {
        head: "About",
        cell: ({ about, bounds }) => [about, bounds && el("span", { class: "muted" }, ` ${bounds}`)],
      },
    ],
  });
}

function fieldsOf(given, root, prefix, depth) {
  const schema = resolve(given, root);
  return Object.entries(schema.properties ?? {}).flatMap(([name, each]) => {
    const field = resolve(each, root);
    const element = field.items ? resolve(field.items, root) : field;
    const path = `${prefix}${name}${field.items ? "[]" : ""}`;
    const row = {
      name: path,
      required: schema.required?.includes(name),
      type: typeOf(field, element),
      about: field.description ?? element.description ?? "",
      bounds: boundsOf(field, element),
    };
    return [
      row,
      ...(element.properties && depth < deepest ? fieldsOf(element, root, `${path}.`, depth + 1) : []),
    ];
  });
}

function typeOf(field, element) {
  const one = [element.type ?? (element.oneOf || element.anyOf ? "any of several" : "any")]
    .flat()
    .join(" | ");
  const formatted = element.format ? `${one} (${element.format})` : one;
  return field.items ? `list of ${formatted}` : formatted;
}

function boundsOf(field, element) {
  const { minLength, maxLength, minimum, maximum, pattern, enum: values } = element;
  const { minItems, maxItems } = field;
  const range = (least, most, unit) =>
    least === undefined && most === undefined ? undefined : `${least ?? "any"} to ${most ?? "any"}${unit}`;
  return [
    range(minLength, maxLength, " characters"),
    range(minimum, maximum, ""),
    range(minItems, maxItems, " items"),
    pattern && `pattern ${pattern}`,
    values && `one of ${values.join(", ")}`,
  ]
    .filter(Boolean)
    .join("; ");
}
