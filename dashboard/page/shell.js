/** What surrounds every view: skip link, state of the connection, navigation, notices, help. */
import { badge } from "./parts/badges.js";
import { el } from "./render.js";
import { linkTo } from "./router.js";
import { views } from "./views.js";

const connections = {
  connecting: ["connecting", "warn"],
  live: ["live", "good"],
  lost: ["connection lost, trying again", "bad"],
  paused: ["paused while hidden", "calm"],
};

const keys = [
  ["/", "go to the filter"],
  ["↑ ↓", "go from row to row"],
  ["Page Up, Page Down, Home, End", "move in a long list"],
  ["Enter", "open the row"],
  ["Esc", "leave a field, close this"],
  ["?", "show the keys"],
];

export class Shell {
  #help;

  constructor(app) {
    this.app = app;
  }

  draw({ name, view }) {
    const { app } = this;
    return [
      el(
        "a",
        { class: "skip", href: "#main", on: { click: (event) => this.skip(event) } },
        "Skip to content",
      ),
      el("header", { class: "top" }, this.brand(), this.connection(), this.health()),
      el(
        "nav",
        { class: "views", "aria-label": "Views" },
        el(
          "ul",
          null,
          Object.entries(views).map(([each, { label }]) => this.entry(each, label, name)),
        ),
      ),
      el("main", { id: "main", tabindex: "-1", "data-view": name }, view.draw()),
      el(
        "div",
        { class: "notice", role: "status", "aria-live": "polite" },
        app.notices.current && el("p", { class: app.notices.current.tone }, app.notices.current.text),
      ),
      this.help(),
    ];
  }

  brand() {
    return el("a", { class: "brand", href: linkTo("overview") }, this.app.system?.title ?? "Weft");
  }

  connection() {
    const { name, missed } = this.app.connection;
    const [text, tone] = connections[name];
    return [
      badge(text, `${tone} connection`, {
        "data-connection": name,
        "data-sequence": this.app.tick?.sequence,
      }),
      missed > 0 &&
        badge(`${missed} s missed`, "warn", {
          title: "Seconds that were no longer kept when the connection was back",
        }),
    ];
  }

  health() {
    const { processes = [], faults = [], problems = [], openDeadLetters } = this.app.tick ?? {};
    if (processes.length === 0) return undefined;
    const ready = processes.filter(({ state }) => state === "READY").length;
    return el(
      "ul",
      { class: "health", "aria-label": "Health" },
      el(
        "li",
        null,
        el(
          "a",
          { href: linkTo("services") },
          badge(`${ready} of ${processes.length} ready`, ready === processes.length ? "good" : "bad"),
        ),
      ),
      faults.length > 0 &&
        el(
          "li",
          null,
          el(
            "a",
            { href: linkTo("faults") },
            badge(`${faults.length} ${faults.length === 1 ? "fault" : "faults"} injected`, "warn"),
          ),
        ),
      openDeadLetters > 0 &&
        el(
          "li",
          null,
          el(
            "a",
            { href: linkTo("events") },
            badge(`${openDeadLetters} dead ${openDeadLetters === 1 ? "letter" : "letters"}`, "bad"),
          ),
        ),
      problems.map((problem) => el("li", { key: problem }, badge(problem, "bad"))),
    );
  }

  entry(each, label, name) {
    const title = each === "timelines" ? (this.app.system?.timelineViews?.[0]?.title ?? label) : label;
    return el(
      "li",
      { key: each },
      el(
        "a",
        {
          href: linkTo(each),
          "aria-current": each === name ? "page" : undefined,
          hook: each === name ? inSight : undefined,
        },
        title,
      ),
    );
  }

  help() {
    return el(
      "dialog",
      { class: "help", "aria-labelledby": "help-title", hook: (element) => (this.#help = element) },
      el("h2", { id: "help-title" }, "Keys"),
      el(
        "dl",
        null,
        keys.map(([key, about]) => [el("dt", null, el("kbd", null, key)), el("dd", null, about)]),
      ),
      el("button", { type: "button", on: { click: () => this.#help.close() } }, "Close"),
    );
  }

  toggleHelp() {
    if (this.#help.open) this.#help.close();
    else this.#help.showModal();
  }

  /** The address belongs to the views: a link to a place of the page must not change it. */
  skip(event) {
    event.preventDefault();
    document.querySelector("main").focus();
  }

  /** After a change of view the keyboard stands at its begin, and a screen reader reads its title. */
  announceView() {
    requestAnimationFrame(() => {
      const main = document.querySelector("main");
      main.focus({ preventScroll: true });
      scrollTo({ top: 0, behavior: "instant" });
    });
  }
}

let shown;
/** On a narrow screen the navigation scrolls: the view that is open must be seen in it. */
function inSight(link) {
  if (shown === link) return;
  shown = link;
  // Those that follow it are not drawn yet.
  requestAnimationFrame(() => {
    const bar = link.closest("ul");
    bar.scrollLeft = link.offsetLeft - bar.clientWidth / 2 + link.offsetWidth / 2;
  });
}
