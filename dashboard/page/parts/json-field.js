/** A field to write JSON in, with what its schema does not allow below it. */
import { el } from "../render.js";
import { field } from "./panel.js";

/**
 * @param {string[]} findings in words
 * @param {{ id: string, hear: (text: string) => void, submit: () => void }} options `id` of the findings;
 *   `submit` is called at Ctrl-Enter
 */
export const jsonField = (label, text, findings, { id, hear, submit }) => [
  field(
    label,
    el("textarea", {
      rows: Math.min(22, Math.max(5, text.split("\n").length + 1)),
      spellcheck: "false",
      value: text,
      "aria-describedby": id,
      "aria-invalid": String(findings.length > 0),
      on: {
        input: ({ target }) => hear(target.value),
        keydown: (event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
        },
      },
    }),
  ),
  el(
    "ul",
    { id, class: "findings" },
    findings.map((finding) => el("li", { key: finding }, finding)),
  ),
];
