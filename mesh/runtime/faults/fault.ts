/** What is done to calls of a method on purpose, as it stands on the bus. */
import { z } from "zod";

const share = z.number().gt(0).max(1);

/** Codes that an abort may answer with; each stands for a way in which a real service fails. */
export const abortCodes = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "RESOURCE_EXHAUSTED",
  "INTERNAL",
  "UNKNOWN",
  "ABORTED",
  "PERMISSION_DENIED",
  "NOT_FOUND",
] as const;

/** Longest delay and longest life of a fault, in milliseconds. */
export const longestDelayMs = 60_000;
export const longestLifeMs = 60 * 60_000;

const fault = z
  .object({
    /** "pkg.v1.Service/Method", or "pkg.v1.Service/*". */
    method: z.string().regex(/^[\w.]{1,250}\/(\w{1,100}|\*)$/),
    abort: z.object({ share, code: z.enum(abortCodes) }).optional(),
    delay: z.object({ share, ms: z.number().int().min(1).max(longestDelayMs) }).optional(),
    /** Milliseconds since 1970. */
    until: z.number().int(),
    /** Who set it. */
    actor: z.string().max(200),
  })
  .refine(({ abort, delay }) => abort || delay, "neither abort nor delay");

export type Fault = z.infer<typeof fault>;

const list = z.object({ faults: z.array(fault).max(200) });

/** @throws Error when the text is no list of faults */
export function parseFaults(text: string): Fault[] {
  return list.parse(JSON.parse(text)).faults;
}

export function writeFaults(faults: readonly Fault[]): string {
  return JSON.stringify({ faults });
}

/** Those whose time is not over. */
export function livingFaults(faults: readonly Fault[], now: number): Fault[] {
  return faults.filter(({ until }) => until > now);
}
