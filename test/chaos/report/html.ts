/** The report as one HTML file without scripts or anything from elsewhere. */
import type { FaultRecord } from "../harness/inject-faults.ts";
import type { CampaignResult } from "../harness/run-campaign.ts";
import type { Evidence } from "../shop/evidence.ts";
import { confirmationsOf } from "./figures.ts";
import { textReport } from "./text.ts";

const width = 1_000;
const left = 130;
const laneHeight = 16;
const chartHeight = 90;

const colours: Record<string, string> = {
  kill: "#c0392b",
  pause: "#8e44ad",
  link: "#e67e22",
  "lose-store": "#2c3e50",
  repeat: "#2980b9",
  poison: "#27ae60",
  disk: "#7f8c8d",
  clock: "#b7950b",
};

export function htmlReport(result: CampaignResult<Evidence>): string {
  const verdict =
    result.violations.length === 0 ? "every promise held" : `${result.violations.length} violations`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Chaos: seed ${asText(result.seed)}, ${verdict}</title>
<style>
  body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; max-width: 1150px; color: #222; }
  pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; }
  svg text { font: 11px system-ui, sans-serif; fill: #444; }
  .verdict { color: ${result.violations.length === 0 ? "#1e8449" : "#c0392b"}; }
  .legend span { display: inline-block; margin-right: 1rem; }
  .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .3em; }
</style>
<h1>Chaos run of the ${asText(result.system)}: <span class="verdict">${verdict}</span></h1>
<p class="legend">${Object.entries(colours)
    .map(([kind, colour]) => `<span><i style="background:${colour}"></i>${kind}</span>`)
    .join("")}</p>
${timeline(result)}
<pre>${asText(textReport(result))}</pre>
</html>
`;
}

function timeline(result: CampaignResult<Evidence>): string {
  const { history, faults } = result;
  const confirmed = confirmationsOf(result);
  const seconds = Math.ceil(
    Math.max(1_000, history.at(-1)?.time ?? 0, ...faults.map(({ to }) => to)) / 1_000,
  );
  const x = (time: number) => left + (time / 1_000 / seconds) * width;
  const ends = (type: string) =>
    history.filter((entry) => entry.type === type && entry.f === "place").map(({ time }) => time);
  const charts = [
    { name: "confirmed/s", times: confirmed, colour: "#1e8449" },
    { name: "acknowledged/s", times: ends("ok"), colour: "#2471a3" },
    { name: "unanswered/s", times: ends("info"), colour: "#c0392b" },
  ];
  const top = charts.length * (chartHeight + 14);
  const done = faults.filter(({ skipped }) => !skipped);
  const lanes = [...new Set(done.map(({ target }) => target))].sort();
  const height = top + lanes.length * laneHeight + 30;
  return `<svg viewBox="0 0 ${left + width + 10} ${height}" role="img" aria-label="timeline">
${charts.map(({ name, times, colour }, index) => histogram(name, times, colour, index * (chartHeight + 14), seconds, x)).join("\n")}
${lanes.map((target, index) => lane(target, done, top + index * laneHeight, x)).join("\n")}
${axis(seconds, top + lanes.length * laneHeight + 14, x)}
</svg>`;
}

function histogram(
  name: string,
  times: readonly number[],
  colour: string,
  y: number,
  seconds: number,
  x: (time: number) => number,
): string {
  const counts = new Array<number>(seconds + 1).fill(0);
  for (const time of times) {
    const second = Math.floor(time / 1_000);
    if (second >= 0 && second <= seconds) counts[second]! += 1;
  }
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, second) => {
    const tall = (count / most) * chartHeight;
    const wide = Math.max(0.5, width / seconds - 0.5);
    return count === 0
      ? ""
      : `<rect x="${x(second * 1_000).toFixed(1)}" y="${(y + chartHeight - tall).toFixed(1)}" width="${wide.toFixed(1)}" height="${tall.toFixed(1)}" fill="${colour}"><title>${second} s: ${count}</title></rect>`;
  });
  return `<text x="0" y="${y + 14}">${name}</text><text x="0" y="${y + 28}">most: ${most}</text>${bars.join("")}
<line x1="${left}" x2="${left + width}" y1="${y + chartHeight}" y2="${y + chartHeight}" stroke="#ccc"/>`;
}

function lane(
  target: string,
  faults: readonly FaultRecord[],
  y: number,
  x: (time: number) => number,
): string {
  const bars = faults
    .filter((fault) => fault.target === target)
    .map(({ number, kind, detail, from, to }) => {
      const wide = Math.max(2, x(to) - x(from));
      return `<rect x="${x(from).toFixed(1)}" y="${y + 3}" width="${wide.toFixed(1)}" height="${laneHeight - 6}" fill="${colours[kind] ?? "#555"}"><title>#${number} ${asText(`${kind} ${target}: ${detail}, ${from} to ${to} ms`)}</title></rect>`;
    });
  return `<text x="0" y="${y + 12}">${asText(target)}</text>${bars.join("")}`;
}

function axis(seconds: number, y: number, x: (time: number) => number): string {
  const step = [1, 5, 10, 30, 60, 300].find((candidate) => seconds / candidate <= 20) ?? 600;
  const marks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
  return marks
    .map(
      (second) =>
        `<text x="${x(second * 1_000).toFixed(1)}" y="${y}" text-anchor="middle">${second} s</text>`,
    )
    .join("");
}

function asText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
