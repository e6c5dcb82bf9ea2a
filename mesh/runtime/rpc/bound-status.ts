import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";

/**
 * Longest text of a status, in characters, and all its details, in bytes. A status travels in trailers, encoded three
 * times as long; trailers of more than 64 KiB end their connection, with the calls of everybody else on it.
 */
const mostText = 2_000;
const mostDetails = 12_288;

/** A status that fits: what it says may have come with the request, at any length. Details are left out whole. */
export function boundStatus(status: ConnectError): ConnectError {
  const kept = detailsThatFit(status.details);
  if (status.rawMessage.length <= mostText && kept.length === status.details.length) return status;
  const text =
    status.rawMessage.length <= mostText ? status.rawMessage : `${status.rawMessage.slice(0, mostText)}…`;
  // Metadata that another server sent stays here, as it does with a status that fits (grpc/status.ts).
  const { isWireError } = status as ConnectError & { isWireError?: boolean };
  const metadata = isWireError ? undefined : status.metadata;
  const bounded = new ConnectError(text, status.code, metadata, undefined, status.cause);
  bounded.details = kept;
  return bounded;
}

function detailsThatFit(details: ConnectError["details"]): ConnectError["details"] {
  if (details.length === 0) return details;
  let left = mostDetails;
  return details.filter((detail) => {
    const bytes =
      "desc" in detail
        ? toBinary(detail.desc, create(detail.desc, detail.value)).length
        : detail.value.length;
    if (bytes > left) return false;
    left -= bytes;
    return true;
  });
}
