package events

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "weft.local/weft/gen/go/weft/events/v1"
	"weft.local/weft/mesh/go/paging"
	"weft.local/weft/mesh/go/policy/redact"
	"weft.local/weft/mesh/go/storage"
)

const defaultPageSize = 20

// deadLetterRPC has the handlers of weft.events.v1.DeadLetterService: translate, call, translate.
type deadLetterRPC struct {
	eventsv1.UnimplementedDeadLetterServiceServer
	db      *storage.Database
	readers []*Reader
	log     *slog.Logger
}

// NewDeadLetterRPC makes the handlers; readers are the consumers of the service whose dead letters these are.
func NewDeadLetterRPC(db *storage.Database, readers []*Reader, log *slog.Logger) eventsv1.DeadLetterServiceServer {
	return &deadLetterRPC{db: db, readers: readers, log: log}
}

func (s *deadLetterRPC) ListDeadLetters(
	ctx context.Context, request *eventsv1.ListDeadLettersRequest,
) (*eventsv1.ListDeadLettersResponse, error) {
	limit := int(request.GetPageSize())
	if limit == 0 {
		limit = defaultPageSize
	}
	states := request.GetStates()
	if len(states) == 0 {
		states = []eventsv1.DeadLetter_State{eventsv1.DeadLetter_OPEN}
	}
	var wanted []string
	for _, state := range states {
		wanted = append(wanted, strings.ToLower(state.String()))
	}
	filters := append([]string{request.GetConsumer()}, slices.Sorted(slices.Values(wanted))...)
	var position uuid.UUID // id of the last row of a page
	before, err := paging.Read(filters, request.GetPageToken(), &position)
	if err != nil {
		return nil, err
	}
	if !before {
		position = uuid.Max
	}
	rows, err := s.db.Query(ctx, selectDeadLetters+`where state = any($1::text[]) and ($2 = '' or consumer = $2)
		and id < $3 order by id desc limit $4`, wanted, request.GetConsumer(), position, limit+1)
	if err != nil {
		return nil, err
	}
	letters, err := pgx.CollectRows(rows, scanDeadLetter)
	if err != nil {
		return nil, err
	}
	reply := &eventsv1.ListDeadLettersResponse{}
	if len(letters) > limit {
		letters = letters[:limit]
		reply.NextPageToken = paging.Token(filters, letters[limit-1].ID)
	}
	for _, letter := range letters {
		reply.DeadLetters = append(reply.DeadLetters, summary(letter))
	}
	return reply, nil
}

func (s *deadLetterRPC) GetDeadLetter(
	ctx context.Context, request *eventsv1.GetDeadLetterRequest,
) (*eventsv1.DeadLetter, error) {
	return s.whole(findDeadLetter(ctx, s.db, request.GetId()))
}

func (s *deadLetterRPC) ReplayDeadLetter(
	ctx context.Context, request *eventsv1.ReplayDeadLetterRequest,
) (*eventsv1.DeadLetter, error) {
	return s.whole(s.replay(ctx, request.GetId(), request.GetActor()))
}

func (s *deadLetterRPC) DropDeadLetter(
	ctx context.Context, request *eventsv1.DropDeadLetterRequest,
) (*eventsv1.DeadLetter, error) {
	return s.whole(s.drop(ctx, request.GetId(), request.GetActor()))
}

// readerOf is nil when the service has no such consumer any more.
func (s *deadLetterRPC) readerOf(letter *deadLetter) *Reader {
	for _, reader := range s.readers {
		if reader.consumer == letter.consumer {
			return reader
		}
	}
	return nil
}

func (s *deadLetterRPC) whole(letter *deadLetter, err error) (*eventsv1.DeadLetter, error) {
	if err != nil {
		return nil, err
	}
	whole := summary(letter)
	whole.Headers = letter.headers
	for _, entry := range letter.History {
		at, _ := time.Parse(time.RFC3339, entry.At)
		whole.History = append(whole.History, &eventsv1.DeadLetter_FailedTry{
			FailedAt: timestamppb.New(at), Cause: entry.Cause, Actor: entry.Actor,
		})
	}
	reader := s.readerOf(letter)
	if reader == nil {
		whole.PayloadProblem = "this service has no such consumer any more"
		return whole, nil
	}
	_, body, err := reader.eventOf(letter)
	if err == nil {
		whole.Payload, err = redact.Message(body)
	}
	if err != nil {
		whole.PayloadProblem = err.Error()
	}
	return whole, nil
}

func summary(letter *deadLetter) *eventsv1.DeadLetter {
	at := func(when *time.Time) *timestamppb.Timestamp {
		if when == nil {
			return nil
		}
		return timestamppb.New(*when)
	}
	settledBy := ""
	if letter.SettledBy != nil {
		settledBy = *letter.SettledBy
	}
	return &eventsv1.DeadLetter{
		Id: letter.ID, Consumer: letter.consumer, EventId: letter.eventID, Type: letter.typeName, Key: letter.key,
		State: eventsv1.DeadLetter_State(eventsv1.DeadLetter_State_value[strings.ToUpper(letter.State)]),
		Cause: letter.Cause, Attempts: int32(letter.Attempts),
		Stream: letter.stream, StreamSequence: letter.streamSequence,
		FirstFailedAt: at(&letter.FirstSeenAt), LastFailedAt: at(&letter.LastFailed),
		DeadAt: at(letter.DeadAt), SettledAt: at(letter.SettledAt), SettledBy: settledBy,
		PayloadBytes: int32(len(letter.payload)),
	}
}
