/** Every method of the contract, by service, to pick one. */
import { words } from "../format.js";
import { badge, empty } from "../parts/badges.js";
import { search } from "../parts/controls.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

export class MethodPicker {
  #text = "";

  /** @param {() => void} redraw */
  constructor(redraw) {
    this.redraw = redraw;
  }

  /** @param {object | undefined} contract weft.dashboard.v1.Contract; undefined: it has not come yet */
  draw(contract, chosen) {
    const hear = (text) => {
      this.#text = text;
      this.redraw();
    };
    const services = this.#found(contract?.services ?? []);
    return el(
      "section",
      { class: "panel picker", "aria-label": "Methods" },
      el("div", { class: "panel-body" }, search("Find a method", this.#text, hear, { main: true })),
      services.length === 0
        ? empty(contract ? "No method matches" : "Loading")
        : el(
            "div",
            { class: "picker-list", "data-rows": "" },
            services.map((service) => serviceOf(service, chosen)),
          ),
    );
  }

  #found(services) {
    const wanted = this.#text.toLowerCase();
    return services
      .map(({ methods = [], ...service }) => ({
        ...service,
        methods: methods.filter(({ fullName, about }) =>
          `${fullName} ${about}`.toLowerCase().includes(wanted),
        ),
      }))
      .filter(({ methods }) => methods.length > 0);
  }
}

const serviceOf = ({ name, fullName, methods }, chosen) =>
  el(
    "section",
    { key: fullName },
    el("h2", null, name === "*" ? "every service" : name),
    el(
      "ul",
      null,
      methods.map((method) => el("li", { key: method.fullName }, linkOf(method, chosen))),
    ),
  );

const linkOf = ({ name, fullName, kind }, chosen) =>
  el(
    "a",
    {
      href: linkTo("explorer", [fullName]),
      "aria-current": fullName === chosen ? "true" : undefined,
      "data-row": "",
    },
    name,
    kind !== "UNARY" && badge(words(kind), "info"),
  );
