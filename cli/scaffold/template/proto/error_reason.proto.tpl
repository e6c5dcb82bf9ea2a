// Reasons in google.rpc.ErrorInfo (domain "{{package}}").
syntax = "proto3";

package {{package}};

// Why {{name}} refused.
enum ErrorReason {
  // Never sent.
  ERROR_REASON_UNSPECIFIED = 0;
  // NOT_FOUND: no {{words}} with this id, or it is somebody else's.
  {{THING}}_NOT_FOUND = 1;
  // INVALID_ARGUMENT: the title holds nothing but spaces.
  TITLE_BLANK = 2;
}
