/** From other sidecars to the process: mutual TLS, callers, users. */
import type { MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { connectionManager } from "./connection-manager.ts";
import { tokenFilters } from "./jwt.ts";
import { INBOUND_PORT, socketAddress } from "./places.ts";
import { callersFilter, usersFilters } from "./rbac.ts";
import { downstreamTls } from "./tls.ts";

const PROCESS = "process";

export function inboundListener(service: MeshService, options: MeshOptions): object {
  // Time is the callers' to keep: here only what they all have given up is ended.
  const route = { match: { prefix: "/" }, route: { cluster: PROCESS, timeout: "0s" } };
  const parts = {
    codec_type: "HTTP2",
    // The process reads who called from a header that nobody else can set.
    forward_client_cert_details: "SANITIZE_SET",
    set_current_client_cert_details: { uri: true },
  };
  // The order in which processes check as well.
  const filters = [
    callersFilter(service.methods, options),
    ...tokenFilters(service, options),
    ...usersFilters(service.methods, options),
  ];
  return {
    name: "inbound",
    address: socketAddress("0.0.0.0", INBOUND_PORT),
    filter_chains: [
      { transport_socket: downstreamTls(), filters: [connectionManager("inbound", [route], parts, filters)] },
    ],
  };
}

export function processCluster({ port }: MeshOptions): object {
  const address = socketAddress("127.0.0.1", port);
  return {
    name: PROCESS,
    type: "STATIC",
    connect_timeout: "1s",
    typed_extension_protocol_options: plainHttp2,
    load_assignment: {
      cluster_name: PROCESS,
      endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
    },
  };
}

/** HTTP/2 towards an upstream. */
export const plainHttp2 = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    explicit_http_config: { http2_protocol_options: {} },
  },
};
