/**
 * The runner's control channel: HTTP with JSON on a Unix socket that only its owner may reach.
 *
 *   GET  /processes                 all processes
 *   GET  /watch                     the same as a line of JSON now and after each change (application/x-ndjson)
 *   POST /processes/NAME/COMMAND    stop, start, restart or kill
 *   POST /services/NAME/scale       body {"replicas": N}
 *
 * A refusal is {"error": "..."} with status 400, 404 or 409. A command is answered when it is done.
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { controlSocket } from "./socket-path.ts";
import { Refused, type Steering } from "./steer.ts";

export type ControlServer = {
  /** Tells everybody who watches. */
  changed(): void;
  stop(): Promise<void>;
};

/** Longest body of a command, in bytes. */
const longestBody = 1_024;
/** Changes within this time, in milliseconds, are told together. */
const togetherMs = 50;

const commands = ["stop", "start", "restart", "kill"] as const;

/**
 * Listens for commands.
 * @throws Error when the socket cannot be made
 */
export async function startControl(dataDir: string, steering: Steering): Promise<ControlServer> {
  const { folder, path } = controlSocket(dataDir);
  if (folder) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700); // of the temporary folder's: fails when it is somebody else's
    rmSync(path, { force: true }); // left by a runner that was killed; the lock says that none runs
  }
  const watchers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    answer(request, response, steering, watchers).catch((error: Error) => {
      const status = error instanceof Refused ? error.status : 500;
      send(response, status, { error: error.message });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(path, resolve);
  });
  if (folder) chmodSync(path, 0o600);

  let telling: NodeJS.Timeout | undefined;
  return {
    changed() {
      if (watchers.size === 0) return;
      telling ??= setTimeout(() => {
        telling = undefined;
        const line = `${JSON.stringify({ processes: steering.list() })}\n`;
        for (const watcher of watchers) watcher.write(line);
      }, togetherMs).unref();
    },
    async stop() {
      clearTimeout(telling);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  steering: Steering,
  watchers: Set<ServerResponse>,
): Promise<void> {
  const [, kind, name = "", command = "", ...rest] = (request.url ?? "").split("/").map(decodeURIComponent);
  const route = `${request.method} ${kind}`;
  if (rest.length > 0) throw new Refused(404, "no such path");
  if (route === "GET processes" && name === "") {
    return send(response, 200, { processes: steering.list() });
  }
  if (route === "GET watch" && name === "") {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.write(`${JSON.stringify({ processes: steering.list() })}\n`);
    watchers.add(response);
    response.once("close", () => watchers.delete(response));
    return;
  }
  const known = commands.find((each) => each === command);
  if (route === "POST processes" && known) return send(response, 200, await steering[known](name));
  if (route === "POST services" && command === "scale") {
    const { replicas } = await bodyOf(request);
    return send(response, 200, { processes: await steering.scale(name, replicas as number) });
  }
  throw new Refused(404, "no such path");
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > longestBody) throw new Refused(400, "the body is too long");
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return body as Record<string, unknown>;
  } catch {}
  throw new Refused(400, 'the body must be JSON, such as {"replicas": 2}');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
