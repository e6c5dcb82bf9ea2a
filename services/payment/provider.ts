/**
 * What payment asks of a provider: three calls that payment companies commonly offer. Each names a key of
 * ours. The provider does the work of a key once, and a repeat gets the first answer; that, and `find`,
 * is all that keeps a customer from being charged twice when an answer is lost.
 */

/** A sum as in google.type.Money. */
export interface Amount {
  readonly currencyCode: string;
  readonly units: bigint;
  readonly nanos: number;
}

/** What became of a charge. */
export type ChargeOutcome =
  | { readonly outcome: "charged" }
  /** `declineCode`: the provider's word for why, such as "card_declined". */
  | { readonly outcome: "declined"; readonly declineCode: string };

/** A payment provider. An adapter turns "no answer" of any kind into ProviderUnavailableError. */
export interface PaymentProvider {
  /**
   * Charges once per key.
   * @param request.token stands for the customer's card; never stored, logged or returned
   * @throws ProviderUnavailableError when no answer came; the charge may have been made or not
   */
  charge(
    request: { key: string; amount: Amount; token: string },
    signal: AbortSignal,
  ): Promise<ChargeOutcome>;
  /**
   * Gives a whole charge back, once per key and once per charge.
   * @param request.chargeKey key of a charge with the outcome "charged"
   */
  refund(request: { key: string; chargeKey: string }, signal: AbortSignal): Promise<void>;
  /** What became of the charge with this key; undefined when the provider does not know the key (yet). */
  find(key: string, signal: AbortSignal): Promise<ChargeOutcome | undefined>;
}

/** No answer came from the provider. What the call did, if anything, `find` tells; every call may be repeated. */
export class ProviderUnavailableError extends Error {
  override readonly name = "ProviderUnavailableError";
}
