/** What processes say of themselves over HTTP: GET /readyz and GET /metrics of each service and the edge. */
import http from "node:http";

const timeoutMs = 900;
const longestAnswer = 4 * 1024 * 1024;
const agent = new http.Agent({ keepAlive: true, maxSockets: 4, timeout: 5_000 });

/** Status and body of a page of the system's own. @throws Error with the reason, in words */
export function getPage(url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > longestAnswer) response.destroy(new Error("the answer is too long"));
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    request.on("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(error.name === "AbortError" ? "does not answer" : (error.code ?? error.message))),
    );
  });
}
