/** Call any method of the contract: pick it, write the request, see every message that comes back. */
import { call, stream } from "../api.js";
import { shortMethod, words } from "../format.js";
import { CallDraft } from "../live/call-draft.js";
import { badge, empty, failure } from "../parts/badges.js";
import { button } from "../parts/controls.js";
import { panel } from "../parts/panel.js";
import { el } from "../render.js";
import { callForm } from "./call-form.js";
import { callResult } from "./call-result.js";
import { MethodPicker } from "./method-picker.js";
import { schemaFields } from "./schema-fields.js";

const copies = [
  ["CURL", "curl"],
  ["GRPCURL", "grpcurl"],
  ["BUF_CURL", "buf curl"],
  ["TYPESCRIPT", "TypeScript"],
];

export function openExplorer(app, place) {
  const [method] = place.path;
  const picker = new MethodPicker(app.redraw);
  let contract;
  let draft;
  let problem;
  let result;
  let copied;
  let running;
  load();

  const users = () => app.system?.users ?? [];

  async function load() {
    try {
      const [found, form] = await Promise.all([
        call("GetContract"),
        method && call("GetMethodForm", { method }),
      ]);
      contract = found;
      draft = form && CallDraft.of(form, contract);
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  function change(part) {
    Object.assign(draft, part);
    app.redraw();
  }

  async function send() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const answer = { messages: [] };
    result = answer;
    copied = undefined;
    app.redraw();
    const hear = ({ begun, message, end }) => {
      if (begun) answer.begun = begun;
      if (message) answer.messages.push(message);
      if (end) answer.end = end;
      app.redraw();
    };
    try {
      await stream("Call", draft.request(users()), hear, mine.signal);
    } catch (error) {
      answer.problem = mine.signal.aborted ? new Error("cancelled") : error;
    }
    if (running === mine) running = undefined;
    app.redraw();
  }

  async function copy(form, label) {
    const reply = await app.notices.tell(
      `Copied as ${label}`,
      call("CopyCall", { call: draft.request(users()), form }),
    );
    if (!reply) return;
    copied = { label, text: reply.text };
    app.redraw();
    // Refused where the browser wants to be asked: the text is shown anyway.
    await navigator.clipboard?.writeText(reply.text).catch(() => {});
  }

  const copying = () => [
    el(
      "div",
      { class: "buttons" },
      el("span", { class: "muted" }, "Copy as"),
      copies.map(([form, label]) => button(label, () => copy(form, label), { class: "small" })),
    ),
    copied &&
      el(
        "pre",
        { class: "source", tabindex: "0", role: "group", "aria-label": `As ${copied.label}` },
        copied.text,
      ),
  ];

  function chosen() {
    const cancel = running && (() => running.abort());
    return el(
      "div",
      { class: "columns" },
      panel(
        shortMethod(method),
        badge(words(draft.form.kind), "info"),
        el(
          "div",
          { class: "panel-body detail" },
          callForm({ draft, users: users(), change, send, cancel }),
          copying(),
        ),
      ),
      callResult(result, running !== undefined),
      panel("Fields", undefined, schemaFields(draft.form.requestSchema ?? {})),
    );
  }

  const nothingChosen = () =>
    el(
      "div",
      { class: "panel" },
      empty(
        "Choose a method to call it",
        "All four kinds of calls work; what is written is checked against the contract.",
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
        picker.draw(contract, method),
        !method ? nothingChosen() : draft ? chosen() : !problem && empty("Loading"),
      ),
    ],
  };
}
