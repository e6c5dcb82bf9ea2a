/** Let a share of calls to a method fail or wait, on purpose, and see what breakers and callers make of it. */
import { call } from "../api.js";
import { duration, ms, percent, rate, shortMethod } from "../format.js";
import { badge, breakerBadge, empty, failure } from "../parts/badges.js";
import { number, select } from "../parts/controls.js";
import { panel } from "../parts/panel.js";
import { table } from "../parts/table.js";
import { el } from "../render.js";

const codes = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "RESOURCE_EXHAUSTED",
  "INTERNAL",
  "UNKNOWN",
  "ABORTED",
  "PERMISSION_DENIED",
  "NOT_FOUND",
];

export function openFaults(app) {
  let methods = [];
  let offBecause = "";
  let problem;
  const form = { method: "", abort: 30, code: "UNAVAILABLE", delay: 0, delayMs: 500 };
  load();

  async function load() {
    try {
      const [contract, faults] = await Promise.all([call("GetContract"), call("ListFaults")]);
      methods = contract.services
        .filter(({ name }) => name !== "*")
        .flatMap(({ fullName, methods: all = [] }) => [`${fullName}/*`, ...all.map((each) => each.fullName)]);
      form.method ||= methods.find((name) => !name.endsWith("*")) ?? "";
      offBecause = faults.offBecause ?? "";
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  async function inject(event) {
    event.preventDefault();
    const fault = {
      method: form.method,
      ...(form.abort > 0 && { abort: { share: form.abort / 100, code: form.code } }),
      ...(form.delay > 0 && { delay: { share: form.delay / 100, duration: `${form.delayMs / 1000}s` } }),
    };
    await app.notices.tell(`${shortMethod(form.method)} fails on purpose now`, call("SetFault", { fault }));
  }

  const end = (method) =>
    app.notices.tell(
      method ? `${shortMethod(method)} is left alone again` : "All faults have ended",
      call("ClearFaults", method ? { method } : {}),
    );

  const set = (name) => (value) => {
    form[name] = value;
    app.redraw();
  };
  const same = (values) => values.map((value) => [value, value]);

  const setting = () =>
    panel(
      "Inject a fault",
      undefined,
      el(
        "form",
        { class: "panel-body toolbar", on: { submit: inject } },
        select("Method", form.method, same(methods), set("method"), { grow: true }),
        number("Abort, % of calls", form.abort, { min: 0, max: 100 }, set("abort")),
        select("with", form.code, same(codes), set("code")),
        number("Delay, % of calls", form.delay, { min: 0, max: 100 }, set("delay")),
        number("by milliseconds", form.delayMs, { min: 1, max: 60_000 }, set("delayMs")),
        el(
          "button",
          {
            type: "submit",
            class: "primary",
            disabled: offBecause !== "" || (form.abort === 0 && form.delay === 0),
          },
          "Inject",
        ),
      ),
      el(
        "p",
        { class: "panel-body muted" },
        "It happens in the process that serves the method, and ends by itself after 10 minutes.",
      ),
    );

  function list(faults) {
    return table({
      label: "Faults",
      of: faults,
      key: ({ method }) => method,
      rowOf: ({ method }) => ({ "data-fault": method }),
      columns: [
        {
          head: "Method",
          heading: true,
          cell: ({ method }) => el("span", { class: "mono", title: method }, shortMethod(method)),
        },
        {
          head: "Abort",
          cell: ({ abort }) => (abort ? `${percent(abort.share)} with ${abort.code || "UNAVAILABLE"}` : "–"),
        },
        {
          head: "Delay",
          cell: ({ delay }) =>
            delay ? `${percent(delay.share)} by ${ms(Number.parseFloat(delay.duration) * 1000)}` : "–",
        },
        {
          head: "Ends in",
          cell: ({ until }) => (until ? duration((Date.parse(until) - app.now) / 1000) : "–"),
          tight: true,
        },
        { head: "Set by", cell: ({ actor }) => actor },
        {
          head: "Do",
          cell: ({ method }) =>
            el("button", { type: "button", class: "small", on: { click: () => end(method) } }, "end it"),
        },
      ],
    });
  }

  /** Callers of what fails: how many calls go wrong, and what the breaker does about it. */
  function effect(faults) {
    const isHit = (name) =>
      faults.some(
        ({ method }) => method === name || (method.endsWith("/*") && name.startsWith(method.slice(0, -1))),
      );
    const parts = (app.tick?.edges ?? []).flatMap(({ id, from, parts: all = [] }) =>
      all.filter(({ name }) => isHit(name)).map((part) => ({ id: `${id} ${part.name}`, from, ...part })),
    );
    if (parts.length === 0)
      return empty("No samples", "Nobody has called what fails in the last 10 seconds.");
    return table({
      label: "Callers of what fails",
      of: parts,
      key: ({ id }) => id,
      columns: [
        { head: "Caller", heading: true, cell: ({ from }) => from },
        { head: "Method", cell: ({ name }) => el("span", { class: "mono" }, shortMethod(name)) },
        {
          head: "Rate",
          cell: ({ traffic }) => (traffic ? rate(traffic.rate ?? 0) : "no samples"),
          number: true,
        },
        { head: "Success", cell: ({ traffic }) => percent(traffic && (traffic.success ?? 0)), number: true },
        { head: "p95", cell: ({ traffic }) => ms(traffic?.p95Ms), number: true },
        {
          head: "Answers",
          cell: ({ traffic }) =>
            Object.entries(traffic?.codes ?? {}).map(([code, number]) => [
              badge(`${code} ${number}`, code === "OK" ? "good" : "bad"),
              " ",
            ]),
        },
        { head: "Breaker", cell: ({ breaker }) => breakerBadge(breaker) ?? "–" },
      ],
    });
  }

  return {
    title: "Faults",
    draw() {
      const { faults = [] } = app.tick ?? {};
      return [
        el(
          "div",
          { class: "head" },
          el("h1", null, "Faults"),
          faults.length > 0 &&
            el(
              "div",
              { class: "actions" },
              el("button", { type: "button", on: { click: () => end() } }, "End all"),
            ),
        ),
        failure(problem),
        offBecause && el("p", { class: "failure calm" }, offBecause),
        setting(),
        panel("Being injected", undefined, faults.length === 0 ? empty("None") : list(faults)),
        faults.length > 0 && panel("What callers see, over the last 10 seconds", undefined, effect(faults)),
      ];
    },
  };
}
