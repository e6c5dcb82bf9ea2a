/** A service in another language, beside the test's own process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { freePort } from "#local/free-port.ts";
import { readLanguages } from "#local/options.ts";
import { system } from "#local/system.ts";
import type { RunningService } from "#mesh/runtime/start-service.ts";
import { until } from "./runner-process.ts";

const root = join(import.meta.dirname, "../..");

/** What WEFT_IMPL puts in the place of a service in TypeScript; undefined: nothing. */
export function replacementOf(name: string) {
  const language = readLanguages(system, undefined, process.env.WEFT_IMPL).get(name);
  return language === undefined
    ? undefined
    : system.services.find((service) => service.name === name)?.implementations?.[language];
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
