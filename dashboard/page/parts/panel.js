import { el } from "../render.js";

/** A framed part of a view with a title. */
export const panel = (title, head, ...body) =>
  el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h2", null, title), head), body);

/** A field with its name above it. */
export const field = (label, control, more = {}) =>
  el("label", { class: `field ${more.grow ? "grow" : ""}` }, el("span", null, label), control);

/** A name and what it is, for each that is known. @param {[string, unknown][]} entries */
export const facts = (entries) =>
  el(
    "dl",
    { class: "facts" },
    entries
      .filter(([, value]) => value !== undefined && value !== "" && value !== false)
      .map(([name, value]) => [el("dt", null, name), el("dd", null, value)]),
  );
