/** Fields and buttons of forms. Each change is told to `hear`; the view draws again by itself. */
import { el } from "../render.js";
import { field } from "./panel.js";

/** @param {[string, string][]} options value and label */
export const select = (label, value, options, hear, more = {}) =>
  field(
    label,
    el(
      "select",
      { value, on: { change: ({ target }) => hear(target.value) } },
      options.map(([key, text]) => el("option", { key, value: key }, text)),
    ),
    more,
  );

/** A field to search in. @param {{ main?: boolean }} more `main`: the key / goes there */
export const search = (label, value, hear, { main = false } = {}) =>
  field(
    label,
    el("input", {
      type: "search",
      value,
      maxlength: 200,
      "data-filter": main ? "" : undefined,
      on: { input: ({ target }) => hear(target.value.trim()) },
    }),
    { grow: true },
  );

export const text = (label, value, hear) =>
  field(
    label,
    el("input", {
      type: "text",
      value,
      maxlength: 255,
      on: { input: ({ target }) => hear(target.value.trim()) },
    }),
  );

/** @param {{ min: number, max: number }} bounds */
export const number = (label, value, bounds, hear) =>
  field(
    label,
    el("input", {
      type: "number",
      value: String(value),
      required: true,
      ...bounds,
      on: { input: ({ target }) => hear(Number(target.value)) },
    }),
  );

export const button = (label, click, more = {}) =>
  el("button", { key: label, type: "button", ...more, on: { click } }, label);
