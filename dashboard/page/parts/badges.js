/** Small marks. Each says in words what its colour says. */

import { words } from "../format.js";
import { el } from "../render.js";

/** @param {"good" | "warn" | "bad" | "calm" | "info"} tone */
export const badge = (text, tone = "calm", more = {}) =>
  el("span", { class: `badge ${tone}`, ...more }, text);

const toneOfState = {
  READY: "good",
  STARTING: "warn",
  NOT_READY: "warn",
  RESTARTING: "bad",
  FAILED: "bad",
  STOPPED: "bad",
  STOPPING: "warn",
};

/** A process that crashed is red until it is ready again. */
export const toneOf = ({ state, restarts = 0 }) =>
  state === "STARTING" && restarts > 0 ? "bad" : (toneOfState[state] ?? "calm");
export const stateBadge = (process) =>
  badge(words(process.state), toneOf(process), { "data-state": process.state });

const toneOfBreaker = { CLOSED: "good", HALF_OPEN: "warn", OPEN: "bad" };
export const breakerBadge = (state) =>
  toneOfBreaker[state] ? badge(`breaker ${words(state)}`, toneOfBreaker[state]) : undefined;

/** How much of the share of good calls is still calm. */
export const toneOfSuccess = (share) =>
  share === undefined ? "calm" : share >= 0.999 ? "good" : share >= 0.95 ? "warn" : "bad";

/** Says that older things gave way, where a store is bounded. */
export const droppedMark = (dropped) =>
  Number(dropped ?? 0) > 0 &&
  el(
    "span",
    { class: "badge warn", title: `${dropped} older ones gave way to newer ones` },
    "oldest dropped",
  );

/** In place of a list that has nothing. */
export const empty = (title, ...more) =>
  el(
    "div",
    { class: "empty" },
    el("p", { class: "empty-title" }, title),
    more.length > 0 && el("p", null, ...more),
  );

/** In place of what could not be had. */
export const failure = (error) =>
  error && el("p", { class: "failure", role: "alert" }, error.message ?? String(error));
