import { PaymentService } from "#gen/shop/payment/v1/payment_pb.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { paymentRpc } from "./rpc.ts";
import { readSettings } from "./settings.ts";
import type { PaymentParts } from "./settle-payment.ts";
import { simulatedProvider } from "./simulated-provider.ts";
import { storage } from "./storage.ts";
import { paymentWatch } from "./watch-payments.ts";

export const payment: ServiceDefinition = {
  contract: PaymentService,
  storage,
  emits: [],
  compose: ({ orm, log, env }) => {
    const parts: PaymentParts = { orm, provider: simulatedProvider(orm), settings: readSettings(env) };
    return {
      routes: (router) => router.service(PaymentService, paymentRpc(parts)),
      workers: [paymentWatch(parts, log)],
    };
  },
};
