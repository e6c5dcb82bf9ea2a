/** Stop, start, restart, kill and scale a process. What comes of it is seen in the next ticks. */
import { call } from "../api.js";
import { words } from "../format.js";
import { el } from "../render.js";

const all = ["START", "RESTART", "STOP", "KILL"];

export function processActions(app, process, { small } = {}) {
  const { name, actions = [] } = process;
  const tell = (action, replicas) =>
    app.notices.tell(
      action === "SCALE"
        ? `${name}: ${replicas} replicas were asked for`
        : `${name} was told to ${words(action)}`,
      call("ControlProcess", { name, action, ...(replicas !== undefined && { replicas }) }),
    );
  const button = (action) =>
    el(
      "button",
      {
        key: action,
        type: "button",
        class: `${small ? "small" : ""} ${action === "KILL" ? "danger" : ""}`,
        "aria-label": `${words(action)} ${name}`,
        on: { click: () => tell(action) },
      },
      words(action),
    );
  return el(
    "span",
    { class: "buttons" },
    all.filter((action) => actions.includes(action)).map(button),
    !small && actions.includes("SCALE") && scaling(app, process, tell),
  );
}

function scaling(app, { service }, tell) {
  const replicas = app.tick.processes.filter((process) => process.service === service).length;
  return [
    el(
      "button",
      {
        key: "less",
        type: "button",
        "aria-label": `one replica of ${service} less`,
        disabled: replicas <= 1,
        on: { click: () => tell("SCALE", replicas - 1) },
      },
      "− replica",
    ),
    el(
      "button",
      {
        key: "more",
        type: "button",
        "aria-label": `one replica of ${service} more`,
        disabled: replicas >= 10,
        on: { click: () => tell("SCALE", replicas + 1) },
      },
      "+ replica",
    ),
  ];
}
