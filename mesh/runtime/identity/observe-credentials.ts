import type { Meter } from "@opentelemetry/api";
import type { Workload } from "./workload.ts";

/** weft.certificate.expiry_seconds: time until this process's certificate expires; half of its life is the least. */
export function observeCredentials(meter: Meter, { credentials }: Workload): void {
  if (!credentials) return;
  meter
    .createObservableGauge("weft.certificate.expiry_seconds", {
      description: "Time until the certificate of this process expires",
    })
    .addCallback((result) => result.observe((credentials.current.notAfter - Date.now()) / 1_000));
}
