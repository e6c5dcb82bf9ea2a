/** JSON as indented text with quiet colours. */
import { el } from "../render.js";

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Longest text that is coloured: colours of a megabyte help nobody. */
const mostColoured = 40_000;

/** @param {unknown} value a value, or JSON as text */
export function jsonText(value, label = "JSON") {
  const text = typeof value === "string" ? value : (JSON.stringify(value, undefined, 2) ?? "");
  const parts = text.length > mostColoured ? text : coloured(text);
  return el("pre", { class: "json", tabindex: "0", role: "group", "aria-label": label }, parts);
}

function coloured(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(token)) {
    const [all, string, colon, word, number] = match;
    if (match.index > from) parts.push(text.slice(from, match.index));
    if (string && colon) parts.push(el("span", { class: "json-key" }, string), colon);
    else
      parts.push(
        el(
          "span",
          { class: string ? "json-string" : word ? "json-word" : "json-number" },
          string ?? word ?? number,
        ),
      );
    from = match.index + all.length;
  }
  parts.push(text.slice(from));
  return parts;
}
