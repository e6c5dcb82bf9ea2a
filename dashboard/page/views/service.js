/** One process: figures, who calls it and whom it calls, its newest log lines. */
import { call } from "../api.js";
import { bytes, count, figure, ms, percent, rate, since, words } from "../format.js";
import { breakerBadge, empty, failure, stateBadge } from "../parts/badges.js";
import { logLine } from "../parts/log-line.js";
import { facts, panel } from "../parts/panel.js";
import { processActions } from "../parts/process-actions.js";
import { table } from "../parts/table.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

const newest = 60;

export function openService(app, name) {
  let lines = [];
  let through = -1;
  let topology;
  let problem;
  load();

  async function load() {
    try {
      topology = await call("GetTopology");
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  async function readLogs(last) {
    if (last === through) return;
    through = last;
    const reply = await call("ListLogs", { filter: { processes: [name] }, limit: newest }).catch(
      () => undefined,
    );
    lines = reply?.lines ?? lines;
    app.redraw();
  }

  function figures(process) {
    const {
      service,
      kind,
      pid,
      version,
      startedAt,
      restarts = 0,
      lastEnd,
      memoryBytes,
      cpuCores,
      eventLoopP99Ms,
      endpoints = [],
      logFile,
    } = process;
    return panel(
      "Process",
      undefined,
      el(
        "div",
        { class: "panel-body" },
        facts([
          ["State", stateBadge(process)],
          ["Problem", process.problem],
          ["Kind", words(kind)],
          ["Replica of", service !== name && service],
          ["Version", version],
          ["Process id", pid ? String(pid) : "–"],
          ["Up", since(startedAt, app.now)],
          ["Restarts after crashes", String(restarts)],
          ["Ended last by", lastEnd],
          ["Memory", bytes(memoryBytes)],
          ["CPU", cpuCores === undefined ? "–" : `${figure(cpuCores)} cores`],
          ["Event loop p99", ms(eventLoopP99Ms)],
          ["Endpoints", el("span", { class: "mono" }, endpoints.join(" "))],
          ["Log file", el("span", { class: "mono" }, logFile)],
        ]),
      ),
    );
  }

  function edges(process) {
    const nodes = process.nodes ?? [];
    const live = new Map((app.tick?.edges ?? []).map((edge) => [edge.id, edge]));
    const of = (topology?.edges ?? [])
      .filter(({ from, to }) => nodes.includes(from) || nodes.includes(to))
      .map((edge) => ({ ...edge, ...live.get(edge.id), traffic: live.get(edge.id)?.traffic }));
    if (of.length === 0) return undefined;
    const columns = [
      { head: "From", cell: ({ from }) => from },
      { head: "To", cell: ({ to }) => to },
      { head: "What", cell: ({ kind }) => words(kind) },
      { head: "Rate", cell: ({ traffic }) => (traffic ? rate(traffic.rate) : "no samples"), number: true },
      { head: "Success", cell: ({ traffic }) => percent(traffic && (traffic.success ?? 0)), number: true },
      { head: "p95", cell: ({ traffic }) => ms(traffic?.p95Ms), number: true },
      { head: "Breaker", cell: ({ breaker }) => breakerBadge(breaker) ?? "–" },
    ];
    return panel(
      "Calls and events of the last 10 seconds",
      undefined,
      table({ label: "Calls and events", of, key: ({ id }) => id, columns }),
    );
  }

  const logs = () =>
    panel(
      "Newest log lines",
      el("a", { href: linkTo("logs", [], { process: name, follow: "1" }) }, "follow them"),
      lines.length === 0
        ? empty("No lines")
        : el(
            "ol",
            { class: "log-tail" },
            lines.toReversed().map((line) => el("li", { key: line.position }, logLine(line))),
          ),
    );

  function missing() {
    const whole = app.tick?.processes?.find(({ nodes = [] }) => nodes.includes(name));
    if (!app.tick) return empty("Nothing is known yet");
    if (!whole) return empty(`There is no process “${name}”`);
    return empty(
      `${name} is no process of its own`,
      "It runs with others in ",
      el("a", { href: linkTo("services", [whole.name]) }, whole.name),
      ".",
    );
  }

  return {
    title: name,
    tick: ({ logs: { last } = {} }) => readLogs(last),
    draw() {
      const process = app.tick?.processes?.find((each) => each.name === name);
      return [
        el(
          "div",
          { class: "head" },
          el("h1", null, name),
          process && stateBadge(process),
          process && el("div", { class: "actions" }, processActions(app, process)),
        ),
        el("p", null, el("a", { href: linkTo("services") }, "All services")),
        failure(problem),
        process ? el("div", { class: "grid" }, figures(process), edges(process)) : missing(),
        (process || lines.length > 0) && [
          logs(),
          el("p", { class: "muted" }, `${count(lines.length)} lines shown`),
        ],
      ];
    },
  };
}
