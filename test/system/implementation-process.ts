/** A service in another language, beside the test's own process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { freePort } from "#local/free-port.ts";
import { implementationOf } from "#local/implementations/build.ts";
import { readLanguages } from "#local/options.ts";
import { system } from "#local/system.ts";
import type { RunningService } from "#mesh/runtime/start-service.ts";
import { until } from "./runner-process.ts";

const root = join(import.meta.dirname, "../..");

/** The program of a service that is in another language, or for which WEFT_IMPL says so; undefined: TypeScript's. */
export function replacementOf(name: string) {
  const languages = readLanguages(system, undefined, process.env.WEFT_IMPL);
  const entry = system.services.find((service) => service.name === name);
  return entry && implementationOf({ languages }, entry);
}

/**
 * Builds and starts it, and waits until it is ready.
 * @throws Error with what it printed, if it ends before
 */
export async function startImplementation(
  name: string,
  implementation: NonNullable<ReturnType<typeof replacementOf>>,
  environment: NodeJS.ProcessEnv,
): Promise<RunningService> {
  await implementation.build(root);
  const [program, ...args] = implementation.command(root);
  const port = await freePort();
  const child = spawn(program!, args, {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      ...implementation.environment?.(root),
      ...environment,
      WEFT_SERVICE: name,
      PORT: String(port),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = `${output}${text}`.slice(-8_000);
    });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await until(`${name} is ready`, async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${output}`);
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok;
  });
  return {
    name,
    port,
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
