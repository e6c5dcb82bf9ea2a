/** A table with heads; on a narrow screen each row is a card whose cells say what they are. */
import { el } from "../render.js";

/**
 * @template T
 * @param {{ label: string, of: T[], key: (item: T) => string, rowOf?: (item: T) => object,
 *   columns: { head: string, cell: (item: T) => unknown, number?: boolean, tight?: boolean, heading?: boolean }[] }} options
 *   the column with `heading` names the row
 */
export function table({ label, of, key, columns, rowOf }) {
  const classOf = ({ number, tight }) => (number ? "number" : tight ? "tight" : undefined);
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    el(
      "table",
      { class: "stack", "data-rows": "", "aria-label": label },
      el(
        "thead",
        null,
        el(
          "tr",
          null,
          columns.map((column) => el("th", { scope: "col", class: classOf(column) }, column.head)),
        ),
      ),
      el(
        "tbody",
        null,
        of.map((item) =>
          el(
            "tr",
            { key: key(item), ...rowOf?.(item) },
            columns.map((column) =>
              el(
                column.heading ? "th" : "td",
                {
                  scope: column.heading ? "row" : undefined,
                  class: classOf(column),
                  "data-label": column.head,
                },
                el("span", null, column.cell(item)),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
