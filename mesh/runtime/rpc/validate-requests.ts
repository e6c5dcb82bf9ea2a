import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { badRequest, type FieldViolation } from "./errors.ts";
import { findNul } from "./find-nul.ts";
import { overStream } from "./over-stream.ts";

/** Violations that are reported at once. */
const maxViolations = 50;

/** Checks request messages against the rules of the contract (protovalidate), and for U+0000 in any text. */
export function validateRequests(): Interceptor {
  const validator = createValidator();
  const check = (schema: DescMessage, message: Message) => {
    const field = findNul(schema, message);
    if (field) throw refused([{ field, description: "must not contain U+0000" }]);
    const result = validator.validate(schema, message);
    if (result.kind === "error") throw result.error;
    if (result.kind === "invalid") {
      const violations = result.violations.slice(0, maxViolations);
      throw refused(
        violations.map(({ field, message }) => ({ field: pathToString(field), description: message })),
      );
    }
  };
  return (next) => (request) => {
    const { input } = request.method;
    if (request.stream) {
      const message = overStream(request.message, { each: (message) => check(input, message) });
      return next({ ...request, message });
    }
    check(input, request.message);
    return next(request);
  };
}

function refused(fields: FieldViolation[]): ConnectError {
  const text = fields.map(({ field, description }) => (field ? `${field}: ${description}` : description))[0];
  const status = new ConnectError(text ?? "the request is not valid", Code.InvalidArgument);
  status.details.push(badRequest(fields), {
    desc: ErrorInfoSchema,
    value: create(ErrorInfoSchema, { reason: "REQUEST_INVALID", domain: "weft" }),
  });
  return status;
}
