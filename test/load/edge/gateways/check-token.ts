import type { FastifyReply, FastifyRequest } from "fastify";
import { createUserVerifier } from "#mesh/runtime/identity/user-token.ts";

/** The same check of access tokens, with the same cache of checked ones, that the edge has. */
const verifyUser = createUserVerifier({
  jwksUrl: process.env.WEFT_JWKS_URL!,
  issuer: process.env.WEFT_TOKEN_ISSUER!,
  audience: process.env.WEFT_TOKEN_AUDIENCE!,
});

/** Hook for requests: 401 without a valid token. */
export async function checkToken(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  try {
    await verifyUser(request.headers.authorization ?? "");
  } catch {
    reply.code(401).send({ code: 16, message: "unauthenticated" });
  }
}
