/** Users' tokens, right and wrong in one way each, and where the keys to them are. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  audience,
  issuer,
  jwks,
  now,
  sign,
  stranger,
} from "../../../mesh/runtime/identity/testdata/forged-tokens.ts";
import type { Token } from "./enforcer.ts";

export { audience, issuer };

export const tokens: Readonly<Record<Token, string>> = {
  "a reader's": await sign(),
  "a keeper's": await sign({ roles: ["reader", "keeper"] }),
  "an expired": await sign({ iat: now() - 900, exp: now() - 600 }),
  "another issuer's": await sign({ iss: "https://elsewhere.test" }),
  "another audience's": await sign({ aud: "others" }),
  "a forged": await sign({ roles: ["keeper"] }, {}, stranger.privateKey),
  "another type's": await sign({}, { typ: "JWT" }),
};

/** Value of the header Authorization. */
export const bearer = (token: Token | undefined) => token && `Bearer ${tokens[token]}`;

/** The issuer's keys over HTTP, on a port of this machine. */
export async function serveKeys(): Promise<{ port: number; stop(): void }> {
  const server = createServer((_, response) =>
    response.setHeader("content-type", "application/json").end(JSON.stringify(jwks)),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() };
}
