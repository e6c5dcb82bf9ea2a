// Package refusal has errors that callers may see. Rules and use cases return them; the server turns them into a
// status with google.rpc details, and everything else into INTERNAL without a word about the cause.
package refusal

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Refusal is a code, a reason of the contract's ErrorReason, and the fields that are wrong.
type Refusal struct {
	Code codes.Code
	// Reason is a value name of the service's ErrorReason enum.
	Reason string
	// Message is for developers, in English, without secrets.
	Message  string
	Fields   []Field
	Metadata map[string]string
	// RetryAfter is when the same request may succeed; 0: nobody knows.
	RetryAfter time.Duration
	cause      error
}

// Field is a field of the request and what is wrong with it.
type Field struct {
	// Path by proto field names, such as "items[0].product_id".
	Path, Description string
}

// New makes a refusal.
func New(code codes.Code, reason, message string) *Refusal {
	return &Refusal{Code: code, Reason: reason, Message: message}
}

// With adds what a program may want to know.
func (r *Refusal) With(metadata map[string]string) *Refusal {
	r.Metadata = metadata
	return r
}

// About adds a field that is wrong.
func (r *Refusal) About(path, description string) *Refusal {
	r.Fields = append(r.Fields, Field{path, description})
	return r
}

// Because keeps the cause, for the log alone.
func (r *Refusal) Because(cause error) *Refusal {
	r.cause = cause
	return r
}

func (r *Refusal) Error() string { return r.Message }
func (r *Refusal) Unwrap() error { return r.cause }

// Status is the refusal as callers get it; domain is the proto package of the service.
func (r *Refusal) Status(domain string) *status.Status {
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: r.Reason, Domain: domain, Metadata: r.Metadata},
	}
	if len(r.Fields) > 0 {
		details = append(details, BadRequest(r.Fields))
	}
	if r.RetryAfter > 0 {
		seconds := max(1, int64((r.RetryAfter+time.Second-1)/time.Second))
		details = append(details, &errdetails.RetryInfo{RetryDelay: &durationpb.Duration{Seconds: seconds}})
	}
	made, err := status.New(r.Code, r.Message).WithDetails(details...)
	if err != nil { // for code OK only
		return status.New(codes.Internal, "internal error")
	}
	return made
}

// BadRequest has the fields as google.rpc has them.
func BadRequest(fields []Field) *errdetails.BadRequest {
	violations := make([]*errdetails.BadRequest_FieldViolation, len(fields))
	for i, field := range fields {
		violations[i] = &errdetails.BadRequest_FieldViolation{Field: field.Path, Description: field.Description}
	}
	return &errdetails.BadRequest{FieldViolations: violations}
}
