// {{The_words}} of users.
syntax = "proto3";

package {{package}};

import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/timestamp.proto";
import "weft/policy/v1/policy.proto";

// Keeps {{words_plural}}. Users see and delete their own; an admin reads any.
service {{Thing}}Service {
  option (weft.policy.v1.service) = {
    name: "{{name}}"
    defaults: {
      callers: ["edge"]
      timeout: {seconds: 2}
      access: {
        owner: {subject: true}
      }
    }
  };

  // Creates {{a_words}} of the signed-in user.
  rpc Create{{Thing}}(Create{{Thing}}Request) returns ({{Thing}}) {
    option (google.api.http) = {
      post: "/v1/{{path}}"
      body: "*"
    };
    option (weft.policy.v1.method) = {
      idempotency_key: IDEMPOTENCY_KEY_REQUIRED
      rest: {success_status: 201}
    };
  }

  // One {{words}}.
  rpc Get{{Thing}}(Get{{Thing}}Request) returns ({{Thing}}) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {get: "/v1/{{path}}/{{{thing_}}_id}"};
    option (weft.policy.v1.method) = {
      access: {
        owner: {
          response_field: "owner_id"
          or_roles: ["admin"]
        }
      }
    };
  }

  // The signed-in user's {{words_plural}}, newest first, page by page (AIP-158).
  rpc List{{Things}}(List{{Things}}Request) returns (List{{Things}}Response) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {get: "/v1/{{path}}"};
  }

  // Deletes one of the signed-in user's {{words_plural}}.
  rpc Delete{{Thing}}(Delete{{Thing}}Request) returns (google.protobuf.Empty) {
    option idempotency_level = IDEMPOTENT;
    option (google.api.http) = {delete: "/v1/{{path}}/{{{thing_}}_id}"};
  }

  // How many {{words_plural}} the signed-in user has ever created; follows a moment later, by event.
  rpc Get{{Thing}}Stats(Get{{Thing}}StatsRequest) returns ({{Thing}}Stats) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {get: "/v1/{{path}}:stats"};
  }
}

// {{A_words}}.
message {{Thing}} {
  // UUIDv7.
  string id = 1;
  // User who created it.
  string owner_id = 2;
  // What it is called.
  string title = 3;
  // What there is to say about it. May be empty.
  string text = 4;
  // When it was created.
  google.protobuf.Timestamp created_at = 5;
}

// {{A_words}} to create.
message Create{{Thing}}Request {
  // What it is called.
  string title = 1 [
    (buf.validate.field).string.min_len = 1,
    (buf.validate.field).string.max_len = 200
  ];
  // What there is to say about it.
  string text = 2 [(buf.validate.field).string.max_len = 5000];
}

// Asks for one {{words}}.
message Get{{Thing}}Request {
  // Which one.
  string {{thing_}}_id = 1 [(buf.validate.field).string.uuid = true];
}

// Asks for a page of {{words_plural}}.
message List{{Things}}Request {
  // Most to return; 20 when left out.
  int32 page_size = 1 [(buf.validate.field).int32 = {
    gte: 0
    lte: 100
  }];
  // `next_page_token` of the page before.
  string page_token = 2 [(buf.validate.field).string.max_len = 500];
}

// A page of {{words_plural}}.
message List{{Things}}Response {
  // Newest first.
  repeated {{Thing}} {{things_}} = 1;
  // Token of the next page; empty on the last one.
  string next_page_token = 2;
}

// Deletes {{a_words}}.
message Delete{{Thing}}Request {
  // Which one.
  string {{thing_}}_id = 1 [(buf.validate.field).string.uuid = true];
}

// Asks for the signed-in user's numbers.
message Get{{Thing}}StatsRequest {}

// Numbers of one user.
message {{Thing}}Stats {
  // Created so far, those that were deleted again included.
  int64 created = 1;
}
