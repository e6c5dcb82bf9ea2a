package main

import (
	"context"

	contract "weft.local/weft/gen/go/{{dir}}"
	"weft.local/weft/mesh/go/events"
	"weft.local/weft/mesh/go/storage"
)

// countCreated counts one more of this user. It runs in the transaction of the inbox, so that a redelivery counts once.
func countCreated(_ context.Context, tx *storage.Tx, event *contract.{{GoThing}}Created, _ events.About) error {
	tx.Later(`insert into {{thing_}}_stats as stats (owner_id, created) values ($1, 1)
		on conflict (owner_id) do update set created = stats.created + 1`, event.GetOwnerId())
	return nil
}
