import { empty } from "../parts/badges.js";
import { el } from "../render.js";

export const openTimelines = () => ({
  title: "Timelines",
  draw: () => [el("h1", null, "Timelines"), empty("This view is not there yet")],
});
