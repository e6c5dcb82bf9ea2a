import type { Access, Owner } from "#gen/weft/policy/v1/policy_pb.ts";
import type { EdgePolicy } from "../contract/read-policy.ts";

/** Who may call, in a sentence. */
export function accessText(access: Access["rule"]): string {
  switch (access.case) {
    case "public":
      return "Access: everybody.";
    case "signedIn":
      return "Access: every signed-in user.";
    case "roles":
      return `Access: users with ${roleNames(access.value.anyOf)}.`;
    case "owner":
      return `Access: ${ownerText(access.value)}`;
    default:
      return "Access: services, on their own behalf.";
  }
}

function ownerText({ location, orRoles }: Owner): string {
  const others = orRoles.length > 0 ? `, or users with ${roleNames(orRoles)}` : "";
  if (location.case === "subject" || location.case === undefined)
    return `the signed-in user, for what is theirs${others}.`;
  const where = `\`${camelCase(location.value)}\` of the ${location.case === "requestField" ? "request" : "reply"}`;
  return `the user whom ${where} names${others}; others get 404.`;
}

/** Requests per period, in a sentence; undefined without a limit. */
export function rateLimitText({ rateLimit }: EdgePolicy): string | undefined {
  if (!rateLimit) return undefined;
  const seconds = rateLimit.period ? Number(rateLimit.period.seconds) + rateLimit.period.nanos / 1e9 : 1;
  const burst = rateLimit.burst > 0 ? `, ${rateLimit.burst} at once` : "";
  // KEY_USER of weft.policy.v1.RateLimit.Key.
  const counted = rateLimit.key === 2 ? "user" : "address";
  return `Limit: ${rateLimit.requests} requests per ${seconds === 1 ? "second" : `${seconds} seconds`} and ${counted}${burst}.`;
}

function roleNames(roles: readonly string[]): string {
  return `the role ${roles.map((role) => `\`${role}\``).join(" or ")}`;
}

function camelCase(path: string): string {
  return path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
