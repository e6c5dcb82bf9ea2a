/** The dashboard of the running system: what most commands ask. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { system } from "#local/system.ts";
import { placesFor } from "#local/topology.ts";
import { CommandFailed, WrongUsage } from "./run-command-line.ts";

/** Options of every command that asks the dashboard. */
export const dashboardOptions = {
  json: { type: "boolean" },
  data: { type: "string", default: ".weft" },
} as const satisfies ParseArgsConfig["options"];

/** What their usage says of them. */
export const dashboardUsage = `  --json             one JSON object a line
  --data DIR         data of the local runner (default .weft)

The dashboard of the local runner whose data is in DIR is asked, or the one at WEFT_DASHBOARD_URL.`;

/** Reads a command's arguments. @throws WrongUsage */
export function readArguments<T extends NonNullable<ParseArgsConfig["options"]>>(args: string[], options: T) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { ...dashboardOptions, ...options } });
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
}

/** A whole number between bounds. @throws WrongUsage */
export function readNumber(name: string, text: string | undefined, least: number, most: number): number {
  const number = Number(text);
  if (text !== undefined && text !== "" && Number.isInteger(number) && number >= least && number <= most)
    return number;
  throw new WrongUsage(`--${name} must be a whole number from ${least} to ${most}`);
}

/** Address of the dashboard. @throws CommandFailed when nothing runs there */
export function dashboardUrl(dataDir: string, env: NodeJS.ProcessEnv): string {
  if (env.WEFT_DASHBOARD_URL) return env.WEFT_DASHBOARD_URL.replace(/\/$/, "");
  const folder = resolve(dataDir);
  const lock = join(folder, "runner.lock");
  if (!existsSync(lock))
    throw new CommandFailed(
      `nothing runs on the data in ${folder}: npm start, or name another folder by --data`,
    );
  const { url } = JSON.parse(readFileSync(lock, "utf8")) as { url: string };
  return placesFor(system, Number(new URL(url).port) - system.edge.port).url("dashboard");
}

/** A client whose failures are in words for the tool's user. */
export function dashboardClient(dataDir: string, env: NodeJS.ProcessEnv): Client<typeof DashboardService> {
  const baseUrl = dashboardUrl(dataDir, env);
  return createClient(
    DashboardService,
    createConnectTransport({
      baseUrl,
      httpVersion: "1.1",
      interceptors: [
        (next) => async (request) => {
          request.header.set("x-weft-dashboard", "1");
          try {
            return await next(request);
          } catch (error) {
            throw inWords(error, baseUrl);
          }
        },
      ],
    }),
  );
}

function inWords(error: unknown, baseUrl: string): Error {
  const { code, rawMessage, cause } = ConnectError.from(error);
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (reason === "ECONNREFUSED" || (code === Code.Unavailable && /ECONNREFUSED/.test(rawMessage)))
    return new CommandFailed(`the dashboard at ${baseUrl} does not answer: is the system still starting?`);
  return error as Error;
}
