/**
 * A list of which only the rows in sight are in the document: 100,000 rows cost what 60 do. All rows have one height.
 * The list is one stop of the tab key; arrow keys, page keys, Home and End go from row to row, Enter opens.
 */
import { el } from "../render.js";

const spare = 12;

export class VirtualList {
  top = 0;
  height = 600;
  active = -1;
  element;
  /** Whether it stays at its end while rows are added. */
  follows = false;

  /**
   * @param {{ label: string, rowHeight: number, redraw: () => void, idOf: (item: any) => string,
   *   row: (item: any) => unknown[], open: (item: any) => void, classOf?: (item: any) => string,
   *   onTop?: () => void, onEnd?: () => void, onLeaveEnd?: () => void }} options `onTop` and `onEnd` ask for more
   */
  constructor(options) {
    this.options = options;
    this.watch = new ResizeObserver(() => {
      if (this.element && this.element.clientHeight !== this.height) this.scrolled();
    });
  }

  /** @param {any[]} items */
  draw(items, selectedId) {
    this.items = items;
    const { label, rowHeight, idOf, row, open, classOf } = this.options;
    const first = Math.max(0, Math.floor(this.top / rowHeight) - spare);
    const last = Math.min(items.length, Math.ceil((this.top + this.height) / rowHeight) + spare);
    const active = this.active >= 0 && this.active < items.length ? items[this.active] : undefined;
    const rowOf = (item, index) =>
      el(
        "div",
        {
          key: idOf(item),
          id: `row-${idOf(item)}`,
          role: "option",
          class: `row ${classOf?.(item) ?? ""} ${item === active ? "active" : ""}`,
          "aria-selected": String(idOf(item) === selectedId),
          "aria-setsize": items.length,
          "aria-posinset": index + 1,
          style: { transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` },
          on: {
            click: () => {
              this.active = this.items.indexOf(item);
              open(item);
            },
          },
        },
        row(item),
      );
    return el(
      "div",
      {
        class: "virtual-list",
        role: "listbox",
        tabindex: "0",
        "aria-label": label,
        "aria-activedescendant":
          active && this.active >= first && this.active < last ? `row-${idOf(active)}` : undefined,
        on: { scroll: () => this.scrolled(), keydown: (event) => this.key(event) },
        hook: (element) => this.settle(element),
      },
      el(
        "div",
        { class: "virtual-space", role: "presentation", style: { height: `${items.length * rowHeight}px` } },
        items.slice(first, last).map((item, index) => rowOf(item, first + index)),
      ),
    );
  }

  /** After each patch: the element may be new, or its rows more. */
  settle(element) {
    if (this.element !== element) {
      this.watch.disconnect();
      this.watch.observe(element);
      this.element = element;
    }
    if (!this.follows) return;
    const end = element.scrollHeight - element.clientHeight;
    if (Math.abs(element.scrollTop - end) > 1) element.scrollTop = end;
  }

  /** Keeps in sight what is in sight after rows were put before them. */
  addedBefore(rows) {
    if (this.active >= 0) this.active += rows;
    this.top += rows * this.options.rowHeight;
    const { element, top } = this;
    requestAnimationFrame(() => element?.scrollTo({ top, behavior: "instant" }));
  }

  scrolled() {
    const { element, options } = this;
    const up = element.scrollTop < this.top - 2;
    this.top = element.scrollTop;
    this.height = element.clientHeight;
    const left = element.scrollHeight - this.height - this.top;
    if (this.follows && up && left > options.rowHeight) options.onLeaveEnd?.();
    if (this.top < options.rowHeight * 20) options.onTop?.();
    if (left < options.rowHeight * 20) options.onEnd?.();
    options.redraw();
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.height / this.options.rowHeight) - 1);
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    if (event.key === "Enter" || event.key === " ") {
      if (this.items[this.active]) this.options.open(this.items[this.active]);
    } else if (event.key in steps && this.items.length > 0) {
      this.goTo(Math.min(this.items.length - 1, Math.max(0, this.active + steps[event.key])));
    } else return;
    event.preventDefault();
  }

  goTo(index) {
    this.active = index;
    const { rowHeight, redraw, onLeaveEnd } = this.options;
    if (this.follows && index < this.items.length - 1) onLeaveEnd?.();
    const top = index * rowHeight;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    if (top + rowHeight > this.element.scrollTop + this.element.clientHeight)
      this.element.scrollTop = top + rowHeight - this.element.clientHeight;
    redraw();
  }
}
