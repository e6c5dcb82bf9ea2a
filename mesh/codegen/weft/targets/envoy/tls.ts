/** Mutual TLS between sidecars. Certificates come through SDS from files, so that they can be renewed. */
import type { MeshOptions } from "../../options.ts";
import { CONFIG_FOLDER, spiffeId, TLS_FOLDER } from "./places.ts";

const TYPES = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";

export function downstreamTls(): object {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": `${TYPES}.DownstreamTlsContext`,
      require_client_certificate: true,
      common_tls_context: {
        ...common,
        validation_context_sds_secret_config: fromFile("trust"),
      },
    },
  };
}

/** The callee must be who it is called. */
export function upstreamTls(callee: string, options: MeshOptions): object {
  const san = { san_type: "URI", matcher: { exact: spiffeId(callee, options) } };
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": `${TYPES}.UpstreamTlsContext`,
      common_tls_context: {
        ...common,
        combined_validation_context: {
          default_validation_context: { match_typed_subject_alt_names: [san] },
          validation_context_sds_secret_config: fromFile("trust"),
        },
      },
    },
  };
}

const common = {
  // Both: as a client Envoy would otherwise offer TLS 1.2 at most.
  tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" },
  alpn_protocols: ["h2"],
  tls_certificate_sds_secret_configs: [fromFile("identity")],
};

function fromFile(name: "identity" | "trust"): object {
  const path_config_source = {
    path: `${CONFIG_FOLDER}/sds/${name}.yaml`,
    watched_directory: { path: TLS_FOLDER },
  };
  return { name, sds_config: { path_config_source, resource_api_version: "V3" } };
}

/** Contents of the two files that the configurations above name. */
export function secrets(): { identity: object; trust: object } {
  const file = (name: string) => ({ filename: `${TLS_FOLDER}/${name}` });
  const watched_directory = { path: TLS_FOLDER };
  const secret = (name: string, parts: object) => ({
    resources: [{ "@type": `${TYPES}.Secret`, name, ...parts }],
  });
  return {
    identity: secret("identity", {
      tls_certificate: {
        certificate_chain: file("tls.crt"),
        private_key: file("tls.key"),
        watched_directory,
      },
    }),
    trust: secret("trust", { validation_context: { trusted_ca: file("ca.crt"), watched_directory } }),
  };
}
