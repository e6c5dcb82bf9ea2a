/** Handlers of EmailService: translate, call, translate. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { Email_Kind, type EmailService } from "#gen/shop/email/v1/email_pb.ts";
import { listEmails, type SentEmail } from "./list-emails.ts";

export function emailRpc(orm: MikroORM): ServiceImpl<typeof EmailService> {
  return {
    async listEmails({ pageSize, pageToken, orderId }) {
      const { emails, nextPageToken } = await listEmails(orm, { pageSize, pageToken, orderId });
      return { emails: emails.map(emailMessage), nextPageToken };
    },
  };
}

function emailMessage({ id, kind, recipient, subject, orderId, eventId, sentAt }: SentEmail) {
  return {
    id,
    kind: Email_Kind[kind],
    recipient,
    subject,
    orderId,
    eventId,
    sentAt: timestampFromDate(sentAt),
  };
}
