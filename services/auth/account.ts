/** Rules of accounts: how an address is compared, and which passwords and texts are refused. */
import { readFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";

/** Roles of somebody who registers. */
export const rolesAtRegistration: readonly string[] = ["customer"];

/** One a line, lower case, 8 characters or more: shorter ones are refused by the contract. */
const commonPasswords: ReadonlySet<string> = new Set(
  readFileSync(new URL("./common-passwords.txt", import.meta.url), "utf8")
    .split("\n")
    .filter(Boolean),
);

/** The form in which addresses are stored and compared. */
export function normaliseEmail(email: string): string {
  return email.toLowerCase();
}

/**
 * Refuses passwords that everybody tries first, in any case (OWASP ASVS 5.0, 6.2.4).
 * @throws ServiceError PASSWORD_TOO_COMMON
 */
export function refuseCommonPassword(password: string): void {
  if (!commonPasswords.has(password.toLowerCase())) return;
  throw new ServiceError(
    Code.InvalidArgument,
    "PASSWORD_TOO_COMMON",
    "the password is one of the most used ones",
    { fields: [{ field: "password", description: "is one of the most used passwords; choose another" }] },
  );
}
