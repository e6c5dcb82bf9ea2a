/** protoc plugin: writes one OpenAPI 3.1 document for what a contract opens at the edge. Run by buf generate. */
import { runNodeJs } from "@bufbuild/protoplugin";
import { openapiPlugin } from "./openapi/plugin.ts";

runNodeJs(openapiPlugin);
