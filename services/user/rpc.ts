/** Handlers of UserService: translate, call, translate. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { Address, UserService } from "#gen/shop/user/v1/user_pb.ts";
import { requirePrincipal } from "#mesh/runtime/identity/principal.ts";
import { type PostalAddress, profileNotFound } from "./profile.ts";
import { type Profile, ProfileRow } from "./storage.ts";
import { updateProfile } from "./update-profile.ts";

export function userRpc(orm: MikroORM): ServiceImpl<typeof UserService> {
  const profileOf = async (userId: string) => {
    const profile = await orm.em.fork().findOne(ProfileRow, { userId });
    if (!profile) throw profileNotFound();
    return userMessage(profile);
  };
  return {
    getMe(_, context) {
      return profileOf(requirePrincipal(context).id);
    },
    async updateMe({ displayName, addresses }, context) {
      const changes = { displayName, addresses: addresses?.items.map(postalAddress) };
      return userMessage(await updateProfile(orm, requirePrincipal(context).id, changes));
    },
    getUser({ userId }) {
      return profileOf(userId);
    },
  };
}

function postalAddress({ label, lines, city, postalCode, countryCode }: Address): PostalAddress {
  return { label, lines, city, postalCode, countryCode };
}

function userMessage({ userId, email, displayName, addresses, roles, createdAt, updatedAt }: Profile) {
  return {
    id: userId,
    email,
    displayName,
    addresses: addresses.map((address) => ({ ...address, lines: [...address.lines] })),
    roles,
    createdAt: timestampFromDate(createdAt),
    updatedAt: timestampFromDate(updatedAt),
  };
}
