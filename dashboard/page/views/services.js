/** Every process and server: how it is, what it uses, and what can be done with it. */
import { bytes, figure, ms, since, words } from "../format.js";
import { badge, empty, stateBadge } from "../parts/badges.js";
import { processActions } from "../parts/process-actions.js";
import { table } from "../parts/table.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { openService } from "./service.js";

export function openServices(app, place) {
  if (place.path[0]) return openService(app, place.path[0]);

  const columns = [
    {
      head: "Name",
      heading: true,
      cell: ({ name }) => el("a", { href: linkTo("services", [name]), "data-row": "" }, name),
    },
    {
      head: "State",
      cell: ({ state, restarts, problem }) => [
        stateBadge({ state, restarts }),
        problem && el("span", { class: "muted" }, ` ${problem}`),
      ],
    },
    { head: "Kind", cell: ({ kind }) => words(kind) },
    { head: "Version", cell: ({ version }) => version || "–", tight: true },
    { head: "Up", cell: ({ startedAt }) => since(startedAt, app.now), tight: true },
    {
      head: "Restarts",
      cell: ({ restarts = 0 }) => (restarts > 0 ? badge(restarts, "warn") : 0),
      number: true,
    },
    { head: "Memory", cell: ({ memoryBytes }) => bytes(memoryBytes), number: true },
    {
      head: "CPU",
      cell: ({ cpuCores }) => (cpuCores === undefined ? "–" : `${figure(cpuCores * 100)} %`),
      number: true,
    },
    { head: "Loop p99", cell: ({ eventLoopP99Ms }) => ms(eventLoopP99Ms), number: true },
    {
      head: "Endpoint",
      cell: ({ endpoints = [] }) =>
        el("span", { class: "mono" }, endpoints.map((url) => url.replace("http://", "")).join(" ")),
    },
    { head: "Do", cell: (process) => processActions(app, process, { small: true }) },
  ];

  return {
    title: "Services",
    draw() {
      const { processes = [] } = app.tick ?? {};
      return [
        el("div", { class: "head" }, el("h1", null, "Services")),
        el(
          "p",
          { class: "lead" },
          "Processes that the runner started, replicas included, and the servers that it brought along.",
        ),
        processes.length === 0
          ? empty("Nothing is known yet", "The dashboard has not heard of the runner.")
          : el(
              "div",
              { class: "panel" },
              table({
                label: "Processes",
                of: processes,
                key: ({ name }) => name,
                columns,
                rowOf: ({ name, state }) => ({ "data-process": name, "data-state": state }),
              }),
            ),
      ];
    },
  };
}
