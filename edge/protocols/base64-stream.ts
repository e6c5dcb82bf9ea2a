import { malformed } from "../transcode/status.ts";

/** Decodes base64 that comes in pieces; padding may stand wherever the sender ended a piece of its own. */
export class Base64Stream {
  #rest = "";

  /** @throws StatusError INVALID_ARGUMENT for anything that is no base64 */
  push(chunk: Buffer): Buffer | undefined {
    const text = this.#rest + chunk.toString("latin1");
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    if (!/^[A-Za-z0-9+/=]*$/.test(text)) throw malformed("body: must be base64");
    const runs = text.slice(0, whole).match(/[^=]+={0,2}/g) ?? [];
    const bytes = Buffer.concat(runs.map((run) => Buffer.from(run, "base64")));
    return bytes.length > 0 ? bytes : undefined;
  }
}
