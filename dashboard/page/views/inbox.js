import { empty } from "../parts/badges.js";
import { el } from "../render.js";

export const openInbox = () => ({
  title: "Inbox",
  draw: () => [el("h1", null, "Inbox"), empty("This view is not there yet")],
});
