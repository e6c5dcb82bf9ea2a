/** Call any method of the contract: pick it, write the request, see every message that comes back. */
import { call, stream } from "../api.js";
import { shortMethod, words } from "../format.js";
import { badge, empty, failure } from "../parts/badges.js";
import { field, panel } from "../parts/panel.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { callResult } from "./call-result.js";
import { findingsIn } from "./schema-check.js";
import { schemaFields } from "./schema-fields.js";

const copies = [
  ["CURL", "curl"],
  ["GRPCURL", "grpcurl"],
  ["BUF_CURL", "buf curl"],
  ["TYPESCRIPT", "TypeScript"],
];

/** What was written lately, so that it is still there when one comes back. */
const drafts = new Map();

export function openExplorer(app, place) {
  const [method] = place.path;
  let contract;
  let form;
  let problem;
  let text = "";
  let draft;
  let result;
  let copied;
  let running;
  load();

  async function load() {
    try {
      [contract, form] = await Promise.all([
        call("GetContract"),
        method && call("GetMethodForm", { method }),
      ]);
      if (form) {
        draft = drafts.get(method) ?? {
          messages: [beginning()],
          user: undefined,
          via: form.vias?.[0] ?? "EDGE",
          intervalMs: 0,
        };
        drafts.set(method, draft);
      }
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  /** What only looks, and needs nothing, begins with everything: an example would name things that are not there. */
  function beginning() {
    const described = contract.services
      .flatMap(({ methods = [] }) => methods)
      .find(({ fullName }) => fullName === method);
    const needsNothing = !form.requestSchema?.required?.length;
    return described?.idempotent && needsNothing ? "{}" : form.example || "{}";
  }

  /** Unless somebody chose: the first account where the method wants one. */
  const userOf = () => draft.user ?? (form.needsUser ? (app.system?.users?.[0] ?? "") : "");
  const takesStream = () => ["CLIENT_STREAMING", "BIDI_STREAMING"].includes(form.kind);
  const wanted = () => ({
    method,
    messages: draft.messages,
    via: draft.via,
    user: userOf(),
    ...(draft.intervalMs > 0 && { interval: `${draft.intervalMs / 1000}s` }),
  });

  async function send() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    result = { messages: [] };
    copied = undefined;
    app.redraw();
    try {
      await stream(
        "Call",
        wanted(),
        (part) => {
          if (part.begun) result.begun = part.begun;
          if (part.message) result.messages = [...result.messages, part.message];
          if (part.end) result.end = part.end;
          app.redraw();
        },
        mine.signal,
      );
    } catch (error) {
      result.problem = mine.signal.aborted ? new Error("cancelled") : error;
    }
    if (running === mine) running = undefined;
    app.redraw();
  }

  async function copy(name, label) {
    const reply = await app.notices.tell(
      `Copied as ${label}`,
      call("CopyCall", { call: wanted(), form: name }),
    );
    if (!reply) return;
    copied = { label, text: reply.text };
    // Refused where the browser wants to be asked: the text is shown anyway.
    await navigator.clipboard?.writeText(reply.text).catch(() => {});
    app.redraw();
  }

  function picker() {
    const matches = (name, about) => `${name} ${about}`.toLowerCase().includes(text.toLowerCase());
    const services = (contract?.services ?? [])
      .map((service) => ({
        ...service,
        methods: (service.methods ?? []).filter(({ fullName, about }) => matches(fullName, about)),
      }))
      .filter(({ methods }) => methods.length > 0);
    return el(
      "section",
      { class: "panel picker", "aria-label": "Methods" },
      el(
        "div",
        { class: "panel-body" },
        field(
          "Find a method",
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
        ),
      ),
      services.length === 0
        ? empty(contract ? "No method matches" : "Loading")
        : el(
            "div",
            { class: "picker-list", "data-rows": "" },
            services.map(({ name, fullName, methods }) =>
              el(
                "section",
                { key: fullName },
                el("h2", null, name === "*" ? "every service" : name),
                el(
                  "ul",
                  null,
                  methods.map((each) =>
                    el(
                      "li",
                      { key: each.fullName },
                      el(
                        "a",
                        {
                          href: linkTo("explorer", [each.fullName]),
                          "aria-current": each.fullName === method ? "true" : undefined,
                          "data-row": "",
                        },
                        each.name,
                        each.kind !== "UNARY" && badge(words(each.kind), "info"),
                      ),
                    ),
                  ),
                ),
              ),
            ),
          ),
    );
  }

  const message = (value, index) => {
    const findings = findingsIn(value, form.requestSchema ?? {});
    const id = `findings-${index}`;
    return el(
      "div",
      { key: index, class: "message" },
      field(
        takesStream() ? `Message ${index + 1}` : "Request, as JSON",
        el("textarea", {
          rows: Math.min(22, Math.max(5, value.split("\n").length + 1)),
          spellcheck: "false",
          value,
          "aria-describedby": id,
          "aria-invalid": String(findings.length > 0),
          on: {
            input: ({ target }) => {
              draft.messages[index] = target.value;
              app.redraw();
            },
            keydown: (event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
            },
          },
        }),
      ),
      el(
        "ul",
        { id, class: "findings" },
        findings.map((finding) => el("li", { key: finding }, finding)),
      ),
      takesStream() &&
        draft.messages.length > 1 &&
        el(
          "button",
          {
            type: "button",
            class: "small",
            on: {
              click: () => {
                draft.messages.splice(index, 1);
                app.redraw();
              },
            },
          },
          "Leave it out",
        ),
    );
  };

  function options() {
    const users = app.system?.users ?? [];
    return el(
      "div",
      { class: "toolbar" },
      field(
        "As",
        el(
          "select",
          {
            value: userOf(),
            on: {
              change: ({ target }) => {
                draft.user = target.value;
                app.redraw();
              },
            },
          },
          el("option", { key: "", value: "" }, "nobody"),
          users.map((user) => el("option", { key: user, value: user }, user)),
        ),
      ),
      field(
        "Through",
        el(
          "select",
          {
            value: draft.via,
            on: {
              change: ({ target }) => {
                draft.via = target.value;
                app.redraw();
              },
            },
          },
          (form.vias ?? []).map((via) =>
            el("option", { key: via, value: via }, via === "EDGE" ? "the edge" : "the service itself"),
          ),
        ),
      ),
      takesStream() &&
        field(
          "Wait between messages, ms",
          el("input", {
            type: "number",
            min: 0,
            max: 10_000,
            value: String(draft.intervalMs),
            on: {
              input: ({ target }) => {
                draft.intervalMs = Number(target.value);
              },
            },
          }),
        ),
      takesStream() &&
        el(
          "button",
          {
            type: "button",
            on: {
              click: () => {
                draft.messages.push(draft.messages.at(-1) ?? "{}");
                app.redraw();
              },
            },
          },
          "Add a message",
        ),
      running
        ? el("button", { key: "cancel", type: "button", on: { click: () => running.abort() } }, "Cancel")
        : el("button", { key: "send", type: "button", class: "primary", on: { click: send } }, "Call"),
    );
  }

  const request = () =>
    panel(
      shortMethod(method),
      badge(words(form.kind), "info"),
      el(
        "div",
        { class: "panel-body detail" },
        draft.messages.map(message),
        options(),
        el(
          "div",
          { class: "buttons" },
          el("span", { class: "muted" }, "Copy as"),
          copies.map(([name, label]) =>
            el(
              "button",
              { key: name, type: "button", class: "small", on: { click: () => copy(name, label) } },
              label,
            ),
          ),
        ),
        copied &&
          el(
            "pre",
            { class: "source", tabindex: "0", role: "group", "aria-label": `As ${copied.label}` },
            copied.text,
          ),
      ),
    );

  return {
    title: method ? `${shortMethod(method)} · Explorer` : "Explorer",
    close: () => running?.abort(),
    draw: () => [
      el("h1", null, "Explorer"),
      failure(problem),
      el(
        "div",
        { class: "columns explorer" },
        picker(),
        !method
          ? el(
              "div",
              { class: "panel" },
              empty(
                "Choose a method to call it",
                "All four kinds of calls work; what is written is checked against the contract.",
              ),
            )
          : el(
              "div",
              { class: "columns" },
              form && draft
                ? [
                    request(),
                    callResult(result, running !== undefined),
                    panel("Fields", undefined, schemaFields(form.requestSchema ?? {})),
                  ]
                : !problem && empty("Loading"),
            ),
      ),
    ],
  };
}
