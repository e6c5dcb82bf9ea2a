/** GET /ticks: server-sent events (HTML standard, section 9.2) for the page. */
import { toJson } from "@bufbuild/protobuf";
import type { FastifyInstance } from "fastify";
import { TickSchema } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { followTicks } from "../ticks/follow-ticks.ts";
import type { Ticker } from "../ticks/ticker.ts";

/** Streams at once: a browser has six connections, and a few windows may be open. */
const mostStreams = 32;
/** Bytes that wait in a connection before its reader is given up. */
const mostWaiting = 8 * 1024 * 1024;

/** @param stopping ends all streams */
export function serveTicks(server: FastifyInstance, ticker: Ticker, stopping: AbortSignal): void {
  let streams = 0;
  server.get<{ Querystring: { after?: string } }>("/ticks", async (request, reply) => {
    if (streams >= mostStreams)
      return reply
        .code(503)
        .header("retry-after", "5")
        .send({ code: "unavailable", message: "too many streams" });
    streams++;
    const gone = new AbortController();
    reply.hijack();
    const { raw } = reply;
    raw.once("close", () => gone.abort());
    raw.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    // The browser comes back after this many milliseconds when the stream breaks.
    raw.write("retry: 1000\n\n");
    // A browser that comes back says so by the header; a page that opens a stream anew can only say it in the address.
    const last = Number(request.headers["last-event-id"] ?? request.query.after ?? 0);
    try {
      const after = Number.isSafeInteger(last) && last > 0 ? last : 0;
      for await (const tick of followTicks(ticker, after, AbortSignal.any([gone.signal, stopping]))) {
        raw.write(`id: ${tick.sequence}\nevent: tick\ndata: ${JSON.stringify(toJson(TickSchema, tick))}\n\n`);
        if (raw.writableLength > mostWaiting) break;
      }
    } finally {
      streams--;
      raw.end();
    }
  });
}
