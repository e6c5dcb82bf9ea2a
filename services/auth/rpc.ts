/** Handlers of AuthService: translate, call, translate. */
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { requirePrincipal } from "#mesh/runtime/identity/principal.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { type AccessTokens, accessTokenLife } from "./access-token.ts";
import { changePassword } from "./change-password.ts";
import type { Keyring } from "./keyring.ts";
import { logIn, type Tokens } from "./log-in.ts";
import { logOut } from "./log-out.ts";
import type { Passwords } from "./password-hash.ts";
import { refreshSession } from "./refresh-session.ts";
import { registerUser } from "./register-user.ts";
import { signOutEverywhere } from "./void-tokens.ts";

/** What the handlers work with. */
export interface AuthParts {
  readonly orm: MikroORM;
  readonly passwords: Passwords;
  readonly keyring: Keyring;
  readonly accessTokens: AccessTokens;
  readonly log: Logger;
}

export function authRpc(parts: AuthParts): ServiceImpl<typeof AuthService> {
  return {
    async register({ email, password, displayName }, { signal }) {
      const account = await registerUser(parts, { email, password, displayName }, signal);
      return { userId: account.id, email: account.email };
    },
    async login({ email, password }, { signal }) {
      return tokensMessage(await logIn(parts, { email, password }, signal));
    },
    async refresh({ refreshToken }) {
      return tokensMessage(await refreshSession(parts, refreshToken));
    },
    async logout({ refreshToken }, context) {
      await logOut(parts.orm, { userId: requirePrincipal(context).id, refreshToken });
      return {};
    },
    async changePassword({ currentPassword, newPassword }, context) {
      const { id } = requirePrincipal(context);
      await changePassword(
        parts,
        { userId: id, current: currentPassword, next: newPassword },
        context.signal,
      );
      return {};
    },
    async revokeTokens({ userId }) {
      if (await signOutEverywhere(parts.orm, userId)) return {};
      throw new ServiceError(Code.NotFound, "NOT_FOUND", "not found");
    },
    async getJwks() {
      return { keys: await parts.keyring.published() };
    },
  };
}

function tokensMessage({ accessToken, refreshToken }: Tokens) {
  return { accessToken, tokenType: "Bearer", expiresIn: accessTokenLife, refreshToken };
}
