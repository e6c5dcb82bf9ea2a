// Facts that {{name}} tells the others.
syntax = "proto3";

package {{package}};

import "google/protobuf/timestamp.proto";
import "weft/policy/v1/policy.proto";

// Somebody created {{a_words}}.
message {{Thing}}Created {
  option (weft.policy.v1.event) = {
    subject: "{{package}}.{{thing_}}_created"
    key: "owner_id"
    consumers: [
      {service: "{{name}}"}
    ]
  };

  // Which one.
  string {{thing_}}_id = 1;
  // User who created it.
  string owner_id = 2;
  // When.
  google.protobuf.Timestamp created_at = 3;
}
