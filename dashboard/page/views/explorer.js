import { empty } from "../parts/badges.js";
import { el } from "../render.js";

export const openExplorer = () => ({
  title: "Explorer",
  draw: () => [el("h1", null, "Explorer"), empty("This view is not there yet")],
});
