/** Mails that the system sent, as they were sent. */
import { call } from "../api.js";
import { count, exactTime, timeOfDay } from "../format.js";
import { droppedMark, empty, failure } from "../parts/badges.js";
import { facts, field } from "../parts/panel.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

const page = 100;
const typingMs = 250;
const forms = [
  ["html", "as HTML"],
  ["text", "as text"],
  ["source", "source"],
];

export function openInbox(app, place) {
  const position = place.path[0];
  let mails;
  let mail;
  let problem;
  let text = "";
  let form;
  let seen;
  let typing;
  load();
  if (position) loadMail();

  async function load() {
    try {
      ({ mails = [] } = await call("ListMails", { text, limit: page }));
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  async function loadMail() {
    try {
      mail = await call("GetMail", { position });
      form = mail.html ? "html" : "text";
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  const search = ({ target }) => {
    text = target.value.trim();
    clearTimeout(typing);
    typing = setTimeout(load, typingMs);
  };

  const entry = ({ position: number, to = [], subject, receivedAt, text: body = "" }) =>
    el(
      "li",
      { key: number },
      el(
        "a",
        {
          href: linkTo("inbox", [number]),
          class: "mail",
          "aria-current": number === position ? "true" : undefined,
          "data-row": "",
          "data-mail": number,
        },
        el("span", { class: "subject" }, subject || "(no subject)"),
        el("time", { class: "muted", datetime: receivedAt }, timeOfDay(receivedAt)),
        el("span", { class: "to muted" }, to.join(", ")),
        el("span", { class: "begin muted" }, body.slice(0, 120)),
      ),
    );

  /** A mail is whoever's who wrote it: it is shown in a frame that may do nothing (see mail-pages.ts). */
  const frame = () =>
    el("iframe", {
      key: `frame ${position}`,
      class: "mail-frame",
      title: `Mail: ${mail.subject}`,
      sandbox: "",
      src: `/mails/${encodeURIComponent(position)}.html`,
    });

  function body() {
    if (form === "html") return frame();
    return el(
      "pre",
      {
        key: form,
        class: "panel-body",
        tabindex: "0",
        role: "group",
        "aria-label": form === "text" ? "Text" : "Source",
      },
      form === "text" ? mail.text : mail.source,
    );
  }

  const reading = () =>
    el(
      "article",
      { class: "panel", "aria-label": "Mail" },
      el(
        "div",
        { class: "panel-head" },
        el("h2", null, mail.subject || "(no subject)"),
        el(
          "span",
          { class: "buttons" },
          forms
            .filter(([name]) => name !== "html" || mail.html)
            .map(([name, label]) =>
              el(
                "button",
                {
                  key: name,
                  type: "button",
                  class: "small",
                  "aria-pressed": String(form === name),
                  on: {
                    click: () => {
                      form = name;
                      app.redraw();
                    },
                  },
                },
                label,
              ),
            ),
        ),
      ),
      el(
        "div",
        { class: "panel-body" },
        facts([
          ["From", mail.from],
          ["To", (mail.to ?? []).join(", ")],
          ["Came", exactTime(mail.receivedAt)],
          ["Message id", el("span", { class: "mono" }, mail.messageId)],
        ]),
      ),
      body(),
    );

  return {
    title: "Inbox",
    tick({ mails: { last } = {} }) {
      if (last === seen) return;
      seen = last;
      load();
    },
    draw: () => [
      el(
        "div",
        { class: "head" },
        el("h1", null, "Inbox"),
        mails &&
          el(
            "span",
            { class: "muted" },
            `${count(mails.length)} ${mails.length === page ? "newest " : ""}mails`,
          ),
        droppedMark(app.tick?.mails?.dropped),
      ),
      el(
        "div",
        { class: "toolbar" },
        field(
          "Address, subject or text",
          el("input", { type: "search", "data-filter": "", maxlength: 200, on: { input: search } }),
          { grow: true },
        ),
      ),
      failure(problem),
      el(
        "div",
        { class: "columns inbox" },
        el(
          "div",
          { class: "panel" },
          !mails
            ? empty("Loading")
            : mails.length === 0
              ? empty(
                  text ? "No mail matches" : "No mails yet",
                  "Every mail that the system sends ends here, and leaves this machine never.",
                )
              : el("ol", { class: "mails", "data-rows": "" }, mails.map(entry)),
        ),
        mail
          ? reading()
          : mails?.length > 0 && el("div", { class: "panel" }, empty("Choose a mail to read it")),
      ),
    ],
  };
}
