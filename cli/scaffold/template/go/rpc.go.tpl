package main

import (
	"context"
	"strings"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	contract "weft.local/weft/gen/go/{{dir}}"
	"weft.local/weft/mesh/go/idempotency"
	"weft.local/weft/mesh/go/rpc"
	"weft.local/weft/mesh/go/storage"
)

// server has the handlers of {{Thing}}Service: translate, call, translate.
type server struct {
	contract.Unimplemented{{GoThing}}ServiceServer
	db *storage.Database
}

func (s *server) Create{{GoThing}}(ctx context.Context, request *contract.Create{{GoThing}}Request) (*contract.{{GoThing}}, error) {
	wanted := Row{OwnerID: rpc.PrincipalOf(ctx).ID, Title: request.GetTitle(), Text: request.GetText()}
	return idempotency.AnswerOnce(ctx, s.db, request, func(keep idempotency.KeepReply[*contract.{{GoThing}}]) error {
		return create(ctx, s.db, wanted, func(tx *storage.Tx, created *Row) error {
			return keep(ctx, tx, messageOf(created))
		})
	})
}

func (s *server) Get{{GoThing}}(ctx context.Context, request *contract.Get{{GoThing}}Request) (*contract.{{GoThing}}, error) {
	found, err := find(ctx, s.db, request.Get{{GoThing_}}Id())
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, notFound()
	}
	return messageOf(found), nil
}

func (s *server) List{{GoThings}}(
	ctx context.Context, request *contract.List{{GoThings}}Request,
) (*contract.List{{GoThings}}Response, error) {
	rows, next, err := list(ctx, s.db, rpc.PrincipalOf(ctx).ID, int(request.GetPageSize()), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	reply := &contract.List{{GoThings}}Response{NextPageToken: next}
	for _, row := range rows {
		reply.{{GoThings_}} = append(reply.{{GoThings_}}, messageOf(row))
	}
	return reply, nil
}

func (s *server) Delete{{GoThing}}(ctx context.Context, request *contract.Delete{{GoThing}}Request) (*emptypb.Empty, error) {
	// Ids are the same in capitals (RFC 9562, section 4); storage has them in small letters.
	id := strings.ToLower(request.Get{{GoThing_}}Id())
	return &emptypb.Empty{}, remove(ctx, s.db, id, rpc.PrincipalOf(ctx).ID)
}

func (s *server) Get{{GoThing}}Stats(
	ctx context.Context, _ *contract.Get{{GoThing}}StatsRequest,
) (*contract.{{GoThing}}Stats, error) {
	created, err := createdBy(ctx, s.db, rpc.PrincipalOf(ctx).ID)
	return &contract.{{GoThing}}Stats{Created: created}, err
}

func messageOf(row *Row) *contract.{{GoThing}} {
	return &contract.{{GoThing}}{
		Id: row.ID, OwnerId: row.OwnerID, Title: row.Title, Text: row.Text, CreatedAt: timestamppb.New(row.CreatedAt),
	}
}
