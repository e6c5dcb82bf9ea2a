/**
 * Random requests against a gateway of its own: from the descriptors, whole and damaged. Nothing may crash,
 * hang, answer 5xx or show a stack trace; whole requests must come back as they went.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { createTranscoder } from "#edge/transcode/transcoder.ts";
import { OWN_COMMAND, startGateway } from "../transcode/gateway-process.ts";
import { registry } from "../transcode/schema.ts";
import { startUpstream } from "../transcode/upstream.ts";
import { wrongWith } from "./check-answer.ts";
import { bodyRequest, damaged, queryRequest, strangeRequest } from "./request-arbitrary.ts";
import { sendBytes } from "./send-bytes.ts";

/** Requests that are under way at once. */
const BATCH = 8;

export interface FuzzResult {
  readonly requests: number;
  /** Resident memory of the gateway in MiB, before and after. */
  readonly memory: readonly [number, number];
  /** The smallest batch that goes wrong and why; undefined when none did. */
  readonly failure: string | undefined;
}

/** @param seed replays a run */
export async function fuzz(requests: number, seed: number): Promise<FuzzResult> {
  const upstream = await startUpstream();
  const gateway = await startGateway(OWN_COMMAND, upstream.port);
  try {
    if (!(await gateway.ready())) throw new Error(gateway.output());
    const memory = memoryOf(gateway.pid);
    const batches = fc.array(anyRequest(), { minLength: BATCH, maxLength: BATCH });
    const property = fc.asyncProperty(batches, async (batch) => {
      upstream.calls.length = 0;
      const answers = await Promise.all(
        batch.map(({ bytes, message }) => sendBytes(gateway.port, bytes, !!message)),
      );
      for (const [index, request] of batch.entries()) {
        const wrong = wrongWith(request, answers[index]!, registry);
        if (wrong) throw new Error(`${wrong}\n${JSON.stringify(request.bytes.toString("latin1"))}`);
      }
      if (!(await gateway.ready())) throw new Error(`the gateway ended: ${gateway.output().slice(-2_000)}`);
    });
    const details = await fc.check(property, {
      seed,
      numRuns: Math.ceil(requests / BATCH),
      endOnFailure: true,
    });
    const failure = details.failed ? String(details.errorInstance) : undefined;
    return { requests: details.numRuns * BATCH, memory: [memory, memoryOf(gateway.pid)], failure };
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}

function anyRequest() {
  const start = () => {
    throw new Error("never called");
  };
  const { routes } = createTranscoder({ registry, upstreamFor: () => start });
  const named = (path: string) => routes.find(({ template }) => template.source === path)!;
  const whole = fc.oneof(bodyRequest(named("/b1/star"), registry), queryRequest(named("/q1/all"), registry));
  const strange = strangeRequest(routes);
  return fc.oneof(
    { weight: 4, arbitrary: whole },
    { weight: 3, arbitrary: strange },
    { weight: 3, arbitrary: damaged(fc.oneof(whole, strange)) },
  );
}

function memoryOf(pid: number): number {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Math.round(Number(kilobytes) / 1024);
  } catch {
    return 0; // not Linux
  }
}
