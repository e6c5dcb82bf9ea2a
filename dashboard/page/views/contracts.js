/** The contract: services with the policy of each method, events with their readers, what generated configuration covers. */
import { call } from "../api.js";
import { count, duration, words } from "../format.js";
import { badge, empty, failure } from "../parts/badges.js";
import { facts, field, panel } from "../parts/panel.js";
import { table } from "../parts/table.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

export function openContracts(app, place) {
  const [shown = "methods"] = place.path;
  let contract;
  let problem;
  let text = "";
  const open = new Set();
  load();

  async function load() {
    try {
      contract = await call("GetContract");
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  const toggle = (name) => {
    if (!open.delete(name)) open.add(name);
    app.redraw();
  };
  const matches = (...texts) => text === "" || texts.join(" ").toLowerCase().includes(text.toLowerCase());

  function method(each) {
    const {
      fullName,
      name,
      about,
      kind,
      rest = [],
      access,
      timeoutMs = 0,
      idempotent,
      idempotencyKeyRequired,
      policy = {},
    } = each;
    const isOpen = open.has(fullName);
    return el(
      "li",
      { key: fullName },
      el(
        "button",
        {
          type: "button",
          class: "method",
          "aria-expanded": String(isOpen),
          "data-row": "",
          on: { click: () => toggle(fullName) },
        },
        el("strong", null, name),
        kind !== "UNARY" && badge(words(kind), "info"),
        el("span", { class: "mono muted" }, rest.join(", ")),
        el(
          "span",
          { class: "marks" },
          badge(access || "–"),
          badge(duration(timeoutMs / 1000)),
          idempotent && badge("idempotent", "good"),
          idempotencyKeyRequired && badge("key required", "warn"),
        ),
      ),
      isOpen &&
        el(
          "div",
          { class: "panel-body detail" },
          el("p", null, about),
          facts([
            ["Request", el("span", { class: "mono" }, each.input)],
            ["Reply", el("span", { class: "mono" }, each.output)],
            ["Callers", (each.callers ?? []).join(", ") || "nobody in the mesh"],
            ...Object.entries(policy).map(([option, value]) => [option, String(value)]),
          ]),
          el("p", null, el("a", { href: linkTo("explorer", [fullName]) }, "Call it")),
        ),
    );
  }

  const methods = () =>
    contract.services.map((service) => {
      const found = (service.methods ?? []).filter(({ fullName, about, rest = [] }) =>
        matches(fullName, about, ...rest),
      );
      if (found.length === 0) return undefined;
      return el(
        "section",
        { class: "panel", key: service.fullName },
        el(
          "div",
          { class: "panel-head" },
          el("h2", null, service.name === "*" ? "every service" : service.name),
          el("span", { class: "mono muted" }, service.fullName),
        ),
        el("p", { class: "panel-body muted" }, service.about),
        el("ol", { class: "methods", "data-rows": "" }, found.map(method)),
      );
    });

  const events = () =>
    panel(
      "Events",
      undefined,
      table({
        label: "Events",
        of: (contract.events ?? []).filter(({ subject, about, type }) => matches(subject, about, type)),
        key: ({ subject }) => subject,
        columns: [
          { head: "Subject", heading: true, cell: ({ subject }) => el("span", { class: "mono" }, subject) },
          { head: "Says", cell: ({ about }) => about },
          { head: "Publisher", cell: ({ publisher }) => publisher },
          { head: "Ordered by", cell: ({ key }) => el("span", { class: "mono" }, key || "–") },
          {
            head: "Stream",
            cell: ({ stream }) => el("a", { class: "mono", href: linkTo("events", [stream]) }, stream),
          },
          {
            head: "Readers",
            cell: ({ consumers = [] }) =>
              consumers.map(({ service, maxDeliver }) =>
                el("p", { key: service }, `${service}, ${maxDeliver} tries`),
              ),
          },
        ],
      }),
    );

  function coverage() {
    const { columns = [], rows = [] } = contract.coverage ?? {};
    if (rows.length === 0) return empty("The generator left no report");
    const found = rows.filter(({ cells = [] }) => matches(...cells));
    const columnOf = (head, index) => ({
      head,
      heading: index === 0,
      cell: ({ cells }) =>
        index === 0 ? el("span", { class: "mono" }, cells[0]) : coverageCell(cells[index] ?? ""),
    });
    return [
      panel(
        "What becomes of each option",
        undefined,
        table({ label: "Coverage", of: found, key: ({ cells }) => cells[0], columns: columns.map(columnOf) }),
      ),
      contract.coverageNotes?.length > 0 &&
        panel(
          "Where methods differ",
          undefined,
          el(
            "ul",
            { class: "panel-body tips" },
            contract.coverageNotes
              .filter((note) => matches(note))
              .map((note) => el("li", { key: note }, note.replaceAll("`", ""))),
          ),
        ),
    ];
  }

  const tabs = [
    ["methods", "Methods", methods],
    ["events", "Events", events],
    ["coverage", "Coverage", coverage],
  ];

  return {
    title: "Contracts",
    draw: () => [
      el(
        "div",
        { class: "head" },
        el("h1", null, "Contracts"),
        contract &&
          el("span", { class: "muted" }, "version ", el("span", { class: "mono" }, contract.version)),
        contract &&
          el(
            "span",
            { class: "muted" },
            `${count(contract.services.reduce((sum, { methods: all = [] }) => sum + all.length, 0))} methods, ${count(contract.events?.length ?? 0)} events`,
          ),
      ),
      el(
        "div",
        { class: "toolbar" },
        el(
          "nav",
          { class: "buttons tabs", "aria-label": "Parts of the contract" },
          tabs.map(([name, label]) =>
            el(
              "a",
              {
                key: name,
                href: linkTo("contracts", [name]),
                "aria-current": name === shown ? "page" : undefined,
              },
              label,
            ),
          ),
        ),
        field(
          "Filter",
          el("input", {
            type: "search",
            "data-filter": "",
            maxlength: 100,
            on: {
              input: ({ target }) => {
                text = target.value.trim();
                app.redraw();
              },
            },
          }),
          { grow: true },
        ),
      ),
      failure(problem),
      contract ? (tabs.find(([name]) => name === shown) ?? tabs[0])[2]() : !problem && empty("Loading"),
    ],
  };
}

/** "**yes**: how" as a mark and words. */
function coverageCell(text) {
  const [, mark, rest] = /^\*\*(.+?)\*\*:?\s*(.*)$/s.exec(text) ?? [undefined, "", text];
  return [
    mark && badge(mark, mark === "yes" ? "good" : mark === "no" ? "bad" : "warn"),
    ` ${rest.replaceAll("`", "")}`,
  ];
}
