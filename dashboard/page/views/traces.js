import { empty } from "../parts/badges.js";
import { el } from "../render.js";

export const openTraces = () => ({
  title: "Traces",
  draw: () => [el("h1", null, "Traces"), empty("This view is not there yet")],
});
