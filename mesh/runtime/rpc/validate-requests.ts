import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { badRequest } from "./errors.ts";
import { overStream } from "./over-stream.ts";

/** Checks request messages against the rules of the contract (protovalidate). */
export function validateRequests(): Interceptor {
  const validator = createValidator();
  const check = (schema: DescMessage, message: Message) => {
    const result = validator.validate(schema, message);
    if (result.kind === "error") throw result.error;
    if (result.kind === "invalid") throw invalid(result.violations);
  };
  return (next) => (request) => {
    const { input } = request.method;
    if (request.stream) {
      return next({
        ...request,
        message: overStream(request.message, { each: (message) => check(input, message) }),
      });
    }
    check(input, request.message);
    return next(request);
  };
}

function invalid(violations: readonly Violation[]): ConnectError {
  const fields = violations.slice(0, 50).map((violation) => ({
    field: pathToString(violation.field),
    description: violation.message,
  }));
  const first = fields[0];
  const text = first
    ? `${first.field ? `${first.field}: ` : ""}${first.description}`
    : "the request is not valid";
  const status = new ConnectError(text, Code.InvalidArgument);
  status.details.push(badRequest(fields), {
    desc: ErrorInfoSchema,
    value: create(ErrorInfoSchema, { reason: "REQUEST_INVALID", domain: "weft" }),
  });
  return status;
}
