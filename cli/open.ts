/** `weft open`: the dashboard in a browser. */
import { spawn } from "node:child_process";
import { dashboardUrl, dashboardUsage, readArguments } from "./dashboard-client.ts";
import type { Command } from "./run-command-line.ts";

export const open: Command = {
  name: "open",
  summary: "opens the dashboard in a browser, and prints its address",
  usage: `usage: weft open

Only prints the address where the result does not go to a terminal.

${dashboardUsage}`,
  async run(args, io) {
    const { values } = readArguments(args, {});
    const url = dashboardUrl(values.data, io.env);
    io.out(values.json ? JSON.stringify({ url }) : url);
    if (io.terminal && !values.json) startBrowser(url);
    return 0;
  },
};

/** Where no browser can be started the address on the screen has to do. */
function startBrowser(url: string): void {
  const command = { darwin: "open", win32: "explorer" }[process.platform as string] ?? "xdg-open";
  spawn(command, [url], { detached: true, stdio: "ignore" })
    .on("error", () => {})
    .unref();
}
