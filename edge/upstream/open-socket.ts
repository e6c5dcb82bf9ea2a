import { AsyncLocalStorage } from "node:async_hooks";
import net, { type Socket } from "node:net";
import tls from "node:tls";

/** Sockets outlive the request they are made for; its context must not be that of all later ones. */
const outsideOfRequests = AsyncLocalStorage.snapshot();

/**
 * A socket that is being connected.
 * @param url `http://host:port`, or `https://host:port` for TLS that offers HTTP/2
 * @param options for TLS, e.g. `ca`, `cert`, `key`
 */
export function openSocket(url: URL, options: tls.ConnectionOptions | undefined): Socket {
  return outsideOfRequests(() => connect(url, options));
}

function connect(url: URL, options: tls.ConnectionOptions | undefined): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol !== "https:") return net.connect({ host, port: Number(url.port || 80), noDelay: true });
  const servername = net.isIP(host) ? undefined : host;
  const socket = tls.connect({
    host,
    port: Number(url.port || 443),
    servername,
    ...options,
    ALPNProtocols: ["h2"],
  });
  return socket.setNoDelay(true);
}
