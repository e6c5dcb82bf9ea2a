/** GET /mails/N.html: the body of a mail, for a frame of the page. */
import type { FastifyInstance } from "fastify";
import type { InboxStore } from "../sources/inbox-store.ts";

/** Whoever wrote the mail may style it and nothing else: no script, no request, no form, no way out of the frame. */
const policy = [
  "sandbox",
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "frame-ancestors 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

export function serveMails(server: FastifyInstance, inbox: InboxStore): void {
  server.get<{ Params: { position: string } }>("/mails/:position.html", async (request, reply) => {
    const found = await inbox.get(Number(request.params.position));
    if (!found) return reply.code(404).send({ code: "not_found", message: "no such mail" });
    reply.header("content-security-policy", policy).header("cache-control", "no-store");
    return reply
      .type("text/html; charset=utf-8")
      .send(found.html || `<pre>${escaped(found.mail.text)}</pre>`);
  });
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
