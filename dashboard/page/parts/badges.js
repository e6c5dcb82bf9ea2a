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

/**
 * How a trace ended, and how many of its spans failed: a purchase that went well may have met failures on its way.
 * What its caller did wrong is not the system's trouble.
 * @param {{ status?: string, errors?: number }} trace status of HTTP or gRPC, where its first span has one
 */
export function outcomeBadges({ status = "", errors = 0 }) {
  const tone = toneOfStatus(status, errors);
  return [
    badge(status || (errors > 0 ? "failed" : "ok"), tone),
    errors > 0 && tone !== "bad" && [" ", badge(`${errors} failed`, "bad")],
  ];
}

function toneOfStatus(status, errors) {
  if (/^([123]\d\d|OK)$/.test(status)) return "good";
  if (/^4\d\d$/.test(status)) return "calm";
  if (/^5\d\d$/.test(status) || errors > 0) return "bad";
  return status === "" ? "good" : "calm";
}

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
