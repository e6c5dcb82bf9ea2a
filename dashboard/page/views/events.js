import { empty } from "../parts/badges.js";
import { el } from "../render.js";

export const openEvents = () => ({
  title: "Events",
  draw: () => [el("h1", null, "Events"), empty("This view is not there yet")],
});
