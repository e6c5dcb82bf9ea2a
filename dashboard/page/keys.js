/** Keys: / goes to the filter, ? shows the keys, arrows go from row to row where a table says data-rows. */
export function listenToKeys({ toggleHelp }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") return moveInRows(event);
    if (event.target.closest?.("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") goToFilter(event);
    else if (event.key === "?") toggleHelp();
  });
}

function goToFilter(event) {
  const filter = document.querySelector("main [data-filter]");
  if (!filter) return;
  event.preventDefault();
  filter.focus();
  filter.select?.();
}

function moveInRows(event) {
  const row = event.target.closest?.("[data-rows] [data-row]");
  if (!row || event.target.closest("input, textarea, select")) return;
  const rows = [...row.closest("[data-rows]").querySelectorAll("[data-row]")];
  const next = rows[rows.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
