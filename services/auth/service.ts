import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { createAccessTokens } from "./access-token.ts";
import { announceRevocations } from "./announce-revocations.ts";
import { readAuthConfig } from "./config.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { createKeyring } from "./keyring.ts";
import { createPasswords } from "./password-hash.ts";
import { authRpc } from "./rpc.ts";
import { seedUsers } from "./seed.ts";
import { storage } from "./storage.ts";

export const auth: ServiceDefinition = {
  contract: AuthService,
  storage,
  emits: [UserRegisteredSchema],
  compose: ({ orm, log, env, announceRevocation }) => {
    const passwords = createPasswords();
    const keyring = createKeyring(orm);
    const accessTokens = createAccessTokens(readAuthConfig(env), keyring);
    return {
      routes: (router) =>
        router.service(AuthService, authRpc({ orm, passwords, keyring, accessTokens, log })),
      workers: [createHousekeeping(orm, log), announceRevocations({ orm, log, announceRevocation })],
      seed: (data) => seedUsers({ orm, passwords }, data),
    };
  },
};
