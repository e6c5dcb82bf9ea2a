import { empty } from "../parts/badges.js";
import { el } from "../render.js";

export const openContracts = () => ({
  title: "Contracts",
  draw: () => [el("h1", null, "Contracts"), empty("This view is not there yet")],
});
