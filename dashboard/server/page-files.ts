/** The page: files of one folder. Read on each request, so that a change shows. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname, resolve, sep } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";

const folder = resolve(import.meta.dirname, "../page");

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

/** Adds GET / and everything below it that is a file of the page. */
export function servePage(server: FastifyInstance): void {
  server.get("/", (_request, reply) => sendPage(reply, "index.html"));
  server.get<{ Params: { "*": string } }>("/*", (request, reply) => sendPage(reply, request.params["*"]));
}

async function sendPage(reply: FastifyReply, name: string): Promise<FastifyReply> {
  const file = resolve(folder, name);
  // Names come decoded: "..", and what only the file system takes for a way out, must not lead out of the folder.
  if (!file.startsWith(folder + sep) || name.includes("\0")) return notFound(reply);
  const type = types[extname(file)];
  const bytes = type === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (!type || !bytes) return notFound(reply);
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  reply.header("cache-control", "no-cache").header("etag", etag);
  if (reply.request.headers["if-none-match"] === etag) return reply.code(304).send();
  if (type.startsWith("text/html")) reply.header("content-security-policy", pagePolicy);
  return reply.type(type).send(bytes);
}

/** What the page may do: its own scripts, styles and calls, nothing beyond this port. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).type("application/json").send({ code: "not_found", message: "no such page" });
}
