/**
 * The page: what runs comes by ticks, a view shows a part of it, the address says which view. Read on in shell.js for
 * what surrounds every view, and in views/ for each of them.
 */
import { call } from "./api.js";
import { listenToKeys } from "./keys.js";
import { Series } from "./live/series.js";
import { followTicks } from "./live/ticks.js";
import { Notices } from "./notices.js";
import { patch } from "./render.js";
import { currentPlace } from "./router.js";
import { Shell } from "./shell.js";
import { views } from "./views.js";

/** What every view is given. */
const app = {
  /** weft.dashboard.v1.System */
  system: undefined,
  /** Newest weft.dashboard.v1.Tick. */
  tick: undefined,
  series: new Series(),
  connection: { name: "connecting", missed: 0 },
  /** Time of the newest tick in milliseconds: ages are counted to it. */
  now: Date.now(),
  /** Draws soon, once however often it is asked. */
  redraw: scheduleDraw,
  notices: new Notices(scheduleDraw),
};
const shell = new Shell(app);
let open;
let scheduled = false;

function scheduleDraw() {
  if (scheduled) return;
  scheduled = true;
  // A hidden window has no frames.
  if (document.hidden) setTimeout(draw, 200);
  else requestAnimationFrame(draw);
}

function draw() {
  scheduled = false;
  document.title = `${open.view.title} · ${app.system?.title ?? "Weft"}`;
  patch(document.body, shell.draw(open));
}

function show() {
  const place = currentPlace();
  const name = Object.hasOwn(views, place.view) ? place.view : "overview";
  const address = [name, ...place.path].join("/");
  const isNew = open?.address !== address;
  if (isNew) {
    open?.view.close?.();
    const isFirst = open === undefined;
    open = { name, address, view: views[name].open(app, place) };
    if (!isFirst) shell.announceView();
  } else {
    open.view.place?.(place);
  }
  scheduleDraw();
}

async function loadSystem() {
  try {
    [app.system] = await Promise.all([call("GetSystem"), app.series.load()]);
  } catch {
    // The state of the connection says so, and the next life of the dashboard asks again.
  }
  open.view.system?.();
  scheduleDraw();
}

document.querySelector("noscript")?.remove();
window.addEventListener("hashchange", show);
window.addEventListener("popstate", show);
listenToKeys({ toggleHelp: () => shell.toggleHelp() });
show();
followTicks({
  onTick(tick) {
    app.tick = tick;
    app.now = Date.parse(tick.time);
    app.series.add(tick.point);
    open.view.tick?.(tick);
    if (!app.system) loadSystem();
    scheduleDraw();
  },
  onState(state) {
    app.connection = state;
    scheduleDraw();
  },
  onRestart() {
    app.series = new Series();
    loadSystem();
  },
});
loadSystem();
