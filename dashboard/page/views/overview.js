/** How the system is, at a glance: golden signals, processes, what waits, what to do next. */
import { bytes, count, duration, figure, ms, percent, rate } from "../format.js";
import { badge, empty, stateBadge, toneOfSuccess } from "../parts/badges.js";
import { facts, field, panel } from "../parts/panel.js";
import { sparkline } from "../parts/sparkline.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

const windows = [
  [60, "1 minute"],
  [600, "10 minutes"],
  [3600, "1 hour"],
];

export function openOverview(app) {
  let seconds = 600;

  const chooseWindow = () =>
    field(
      "Window",
      el(
        "select",
        {
          value: String(seconds),
          on: {
            change: ({ target }) => {
              seconds = Number(target.value);
              app.redraw();
            },
          },
        },
        windows.map(([value, label]) => el("option", { value }, label)),
      ),
    );

  function signal(title, value, more, lines, options) {
    const points = Object.entries(lines).map(([name, pick]) => ({
      name,
      points: app.series.signal(pick, seconds),
    }));
    return el(
      "section",
      { class: "panel signal", "data-signal": title },
      el("h2", null, title),
      el("p", { class: "value" }, value ?? el("span", { class: "muted" }, "no samples")),
      el("p", { class: "more" }, more),
      sparkline(points, { label: title, seconds, ...options }),
    );
  }

  function signals() {
    const now = app.tick?.point ?? {};
    const quantiles = el(
      "span",
      null,
      el("span", { class: "key p50" }, `p50 ${figure(now.p50Ms)}`),
      "  ",
      el("span", { class: "key p95" }, `p95 ${figure(now.p95Ms)}`),
      "  ",
      el("span", { class: "key p99" }, `p99 ${ms(now.p99Ms)}`),
    );
    const known = (value, form) => (value === undefined ? undefined : form(value));
    return el(
      "div",
      { class: "signals" },
      signal(
        "Traffic",
        known(now.rate, rate),
        "requests through the edge",
        { rate: (point) => point.rate },
        { format: rate },
      ),
      signal(
        "Success",
        known(now.success, percent),
        now.success === undefined
          ? ""
          : badge(now.success >= 0.999 ? "as it should be" : "some fail", toneOfSuccess(now.success)),
        { success: (point) => point.success },
        { format: percent, most: 1 },
      ),
      signal(
        "Latency",
        known(now.p95Ms, ms),
        now.p95Ms === undefined ? "" : quantiles,
        { p50: (point) => point.p50Ms, p95: (point) => point.p95Ms, p99: (point) => point.p99Ms },
        { format: ms },
      ),
      signal(
        "Saturation",
        known(now.cpuCores, (cores) => `${figure(cores)} cores`),
        now.memoryBytes && `${bytes(now.memoryBytes)} of memory`,
        { cpu: (point) => point.cpuCores },
        { format: (cores) => `${figure(cores)} cores` },
      ),
    );
  }

  const processRow = ({ name, state, restarts, problem, memoryBytes, startedAt }) =>
    el(
      "tr",
      { key: name },
      el("th", { scope: "row" }, el("a", { href: linkTo("services", [name]), "data-row": "" }, name)),
      el(
        "td",
        null,
        stateBadge({ state, restarts }),
        problem && el("span", { class: "muted" }, ` ${problem}`),
      ),
      el("td", { class: "number" }, bytes(memoryBytes)),
      el("td", { class: "number" }, startedAt ? duration((app.now - Date.parse(startedAt)) / 1000) : ""),
    );

  function processes() {
    const { processes: list = [] } = app.tick ?? {};
    return panel(
      "Processes",
      el("a", { href: linkTo("services") }, "all about them"),
      list.length === 0
        ? empty("Nothing is known yet")
        : el(
            "div",
            { class: "scroll", tabindex: "0", role: "region", "aria-label": "Processes" },
            el(
              "table",
              { "data-rows": "", "aria-label": "Processes" },
              el(
                "thead",
                null,
                el(
                  "tr",
                  null,
                  ["Name", "State"].map((head) => el("th", { scope: "col" }, head)),
                  ["Memory", "Up"].map((head) => el("th", { scope: "col", class: "number" }, head)),
                ),
              ),
              el("tbody", null, list.map(processRow)),
            ),
          ),
    );
  }

  function waiting() {
    const { consumers = [], openDeadLetters, unpublishedEvents, logs, traces, mails, point } = app.tick ?? {};
    const lag = consumers.reduce(
      (sum, { pending = 0, inFlight = 0 }) => sum + Number(pending) + Number(inFlight),
      0,
    );
    const amount = (value, tone = "bad") =>
      value === undefined ? "no samples" : value > 0 ? badge(count(value), tone) : "0";
    return panel(
      "Waiting, and kept",
      undefined,
      el(
        "div",
        { class: "panel-body" },
        facts([
          ["Events published", point?.eventRate === undefined ? "no samples" : rate(point.eventRate)],
          ["Events that wait for readers", consumers.length === 0 ? "no samples" : amount(lag, "warn")],
          ["Events in outboxes", amount(unpublishedEvents, "warn")],
          ["Dead letters", el("a", { href: linkTo("events") }, amount(openDeadLetters))],
          ["Log lines", el("a", { href: linkTo("logs") }, kept(logs))],
          ["Traces", el("a", { href: linkTo("traces") }, kept(traces))],
          ["Mails", el("a", { href: linkTo("inbox") }, kept(mails))],
        ]),
      ),
    );
  }

  function next() {
    const { edgeUrl, users = [], abilities = [] } = app.system ?? {};
    return panel(
      "What to try",
      undefined,
      el(
        "ul",
        { class: "panel-body tips" },
        el(
          "li",
          null,
          el("a", { href: linkTo("explorer") }, "Make a call"),
          users.length > 0 && ` as one of ${users.length} development accounts: its lines light up in the `,
          el("a", { href: linkTo("topology") }, "topology"),
          ", and it leaves a ",
          el("a", { href: linkTo("traces") }, "trace"),
          ".",
        ),
        abilities.includes("CONTROL") &&
          el(
            "li",
            null,
            "Kill a process under ",
            el("a", { href: linkTo("services") }, "Services"),
            " and watch it come back.",
          ),
        el(
          "li",
          null,
          abilities.includes("FAULTS")
            ? el("a", { href: linkTo("faults") }, "Let a share of calls fail")
            : [
                el("a", { href: linkTo("faults") }, "Faults"),
                " can be injected when the system runs with ",
                el("code", null, "WEFT_FAULTS=allow"),
                ".",
              ],
        ),
        edgeUrl &&
          el(
            "li",
            null,
            "REST, gRPC, gRPC-Web and Connect at ",
            el("a", { href: `${edgeUrl}/docs` }, edgeUrl),
            ".",
          ),
      ),
    );
  }

  return {
    title: "Overview",
    draw: () => [
      el(
        "div",
        { class: "head" },
        el("h1", null, "Overview"),
        el("div", { class: "actions" }, chooseWindow()),
      ),
      signals(),
      el("div", { class: "grid" }, processes(), el("div", { class: "columns" }, waiting(), next())),
    ],
  };
}

function kept(range) {
  if (!range) return "–";
  const number = Math.max(0, Number(range.last ?? 0) - Number(range.first ?? 1) + 1);
  return Number(range.dropped ?? 0) > 0 ? `${count(number)}, oldest dropped` : count(number);
}
