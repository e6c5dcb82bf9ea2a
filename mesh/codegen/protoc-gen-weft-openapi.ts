/** protoc plugin: writes one OpenAPI 3.1 document for what a contract opens at the edge. Run by buf generate. */
import "./compile-cache.ts";

const { runNodeJs } = await import("@bufbuild/protoplugin");
const { openapiPlugin } = await import("./openapi/plugin.ts");
runNodeJs(openapiPlugin);
