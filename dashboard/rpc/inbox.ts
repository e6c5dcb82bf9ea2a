import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import type { StoredMail } from "../sources/inbox-store.ts";
import type { Sources } from "../sources/sources.ts";

export function inboxRpc({ inbox }: Sources) {
  return {
    listMails: async ({ text, before, limit }) => {
      await inbox.read();
      return { mails: inbox.list({ text, before: Number(before), limit: limit || 50 }).map(mailOf) };
    },
    getMail: async ({ position }) => {
      const found = await inbox.get(Number(position));
      if (!found) throw new ConnectError(`there is no mail ${position}`, Code.NotFound);
      return { ...mailOf(found.mail), html: found.html, source: found.source };
    },
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

function mailOf({ position, messageId, from, to, subject, text, receivedAt }: StoredMail) {
  const received = timestampFromDate(new Date(receivedAt));
  return { position: BigInt(position), messageId, from, to, subject, text, receivedAt: received };
}
