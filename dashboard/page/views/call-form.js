/** The request of a call: its messages, checked while they are written, and how it is to be made. */
import { button, number, select } from "../parts/controls.js";
import { jsonField } from "../parts/json-field.js";
import { el } from "../render.js";
import { findingsIn } from "./schema-check.js";

/** @param {{ draft: import("../live/call-draft.js").CallDraft, users: string[], change: (part: object) => void,
 *   send: () => void, cancel: (() => void) | undefined }} form `cancel`: a call is running */
export function callForm({ draft, users, change, send, cancel }) {
  return [
    draft.messages.map((text, index) => message({ draft, text, index, change, send })),
    el(
      "div",
      { class: "toolbar" },
      select("As", draft.userOf(users), [["", "nobody"], ...users.map((user) => [user, user])], (user) =>
        change({ user }),
      ),
      select(
        "Through",
        draft.via,
        (draft.form.vias ?? []).map((via) => [via, via === "EDGE" ? "the edge" : "the service itself"]),
        (via) => change({ via }),
      ),
      draft.services.length > 0 &&
        select(
          "Of",
          draft.service,
          draft.services.map((name) => [name, name]),
          (service) => change({ service }),
        ),
      draft.takesStream &&
        number("Wait between messages, ms", draft.intervalMs, { min: 0, max: 10_000 }, (intervalMs) =>
          change({ intervalMs }),
        ),
      draft.takesStream &&
        button("Add a message", () => change({ messages: [...draft.messages, draft.messages.at(-1)] })),
      cancel ? button("Cancel", cancel) : button("Call", send, { class: "primary" }),
    ),
  ];
}

function message({ draft, text, index, change, send }) {
  const findings = findingsIn(text, draft.form.requestSchema ?? {});
  const label = draft.takesStream ? `Message ${index + 1}` : "Request, as JSON";
  return el(
    "div",
    { key: index, class: "message" },
    jsonField(label, text, findings, {
      id: `findings-${index}`,
      hear: (value) => change({ messages: draft.messages.with(index, value) }),
      submit: send,
    }),
    draft.takesStream &&
      draft.messages.length > 1 &&
      button("Leave it out", () => change({ messages: draft.messages.toSpliced(index, 1) }), {
        class: "small",
      }),
  );
}
