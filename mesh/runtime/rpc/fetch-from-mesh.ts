import https from "node:https";
import type { Workload } from "../identity/workload.ts";
import type { Logger } from "../telemetry/log.ts";
import { clientTls } from "./mutual-tls.ts";

/** Largest body that is read, in bytes. */
const maxBodyBytes = 256 * 1024;

/** The parts of fetch that reading a document takes. */
export type FetchDocument = (
  url: string,
  options: { headers: Headers; signal?: AbortSignal },
) => Promise<Response>;

/**
 * A GET of a document that the service `callee` has, over TLS between workloads: keys that came from somebody
 * else would let him sign in as anybody. Where a mesh encrypts, it is the platform's fetch.
 */
export function fetchFromMesh(
  callee: string,
  workload: Workload,
  log: Pick<Logger, "warn">,
): FetchDocument | undefined {
  if (!workload.credentials) return undefined;
  const tls = clientTls(callee, workload, log);
  return (url, { headers, signal }) =>
    new Promise((resolve, reject) => {
      const target = new URL(url.replace(/^http:/, "https:"));
      const { secureContext, servername, checkServerIdentity } = tls();
      const options = { secureContext, servername, checkServerIdentity, agent: false, signal } as const;
      const request = https.get(target, { ...options, headers: Object.fromEntries(headers) }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBodyBytes) request.destroy(new Error(`${callee}: the document is too large`));
          chunks.push(chunk);
        });
        response.on("end", () => {
          const status = response.statusCode ?? 500;
          resolve(new Response(status === 204 ? null : Buffer.concat(chunks), { status }));
        });
        response.on("error", reject);
      });
      request.on("error", reject);
    });
}
