/** The HTTP part of a listener. */

/** @param filters in order, without the router, which is always last */
export function connectionManager(
  statPrefix: string,
  routes: object[],
  parts: object,
  filters: object[],
): object {
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type":
        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      stat_prefix: statPrefix,
      ...parts,
      // Streams live as long as their method says, also when nothing is said for a while.
      stream_idle_timeout: "0s",
      route_config: {
        name: statPrefix,
        virtual_hosts: [{ name: statPrefix, domains: ["*"], routes }],
      },
      http_filters: [
        ...filters,
        {
          name: "envoy.filters.http.router",
          typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        },
      ],
    },
  };
}
