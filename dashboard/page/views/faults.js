import { empty } from "../parts/badges.js";
import { el } from "../render.js";

export const openFaults = () => ({
  title: "Faults",
  draw: () => [el("h1", null, "Faults"), empty("This view is not there yet")],
});
