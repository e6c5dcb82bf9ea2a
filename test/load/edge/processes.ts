import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import net from "node:net";

const START_MS = 20_000;

/** A program that listens on a port. */
export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts a program and waits until its port answers.
 * @param logFile gets its output; errors come to ours
 * @throws Error when it ends or does not listen within 20 seconds
 */
export async function startServer(
  command: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv,
  logFile = "/dev/null",
): Promise<ServerProcess> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ["ignore", openSync(logFile, "w"), "inherit"],
  });
  child.on("error", () => {});
  process.once("exit", () => child.kill("SIGKILL"));
  const giveUp = Date.now() + START_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > giveUp) {
      child.kill("SIGKILL");
      throw new Error(`${command.join(" ")}: did not start`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { pid: child.pid!, port, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => socket.destroy() && resolve(true)).once("error", () => resolve(false));
  });
}
