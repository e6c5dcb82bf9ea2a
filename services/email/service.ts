import { EmailService } from "#gen/shop/email/v1/email_pb.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { emailEvents } from "./events.ts";
import { emailRpc } from "./rpc.ts";
import { mailer } from "./send-mails.ts";
import { readSettings } from "./settings.ts";
import { smtpSender } from "./smtp.ts";
import { storage } from "./storage.ts";

export const email: ServiceDefinition = {
  contract: EmailService,
  storage,
  emits: [],
  compose: ({ orm, log, env, tracer }) => {
    const { smtpUrl, from } = readSettings(env);
    return {
      routes: (router) => router.service(EmailService, emailRpc(orm)),
      consumers: emailEvents(),
      workers: [mailer({ orm, send: smtpSender(smtpUrl), from, log, tracer })],
    };
  },
};
