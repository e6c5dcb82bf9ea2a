import { empty } from "../parts/badges.js";
import { el } from "../render.js";

export const openTopology = () => ({
  title: "Topology",
  draw: () => [el("h1", null, "Topology"), empty("This view is not there yet")],
});
