/** Tables as the repository's formatter would leave them. */

/** @param rows cells as Markdown */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(inOneCell));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(cells[0]!), rule, ...cells.slice(1).map(line)].join("\n");
}

/** Without what would end the cell, or be taken for HTML outside of code. */
function inOneCell(text: string): string {
  return text
    .replaceAll("\n", " ")
    .replaceAll(/(?<!\\)\|/g, "\\|")
    .replaceAll(/`[^`]*`|</g, (found) => (found === "<" ? "&lt;" : found))
    .trim();
}

export const code = (text: string) => `\`${text}\``;
