package storage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"weft.local/weft/mesh/go/failpoint"
)

const (
	attempts        = 4
	rollbackTimeout = 2 * time.Second
)

// worthAnotherRun are states after which the whole transaction is worth another run: serialization failure,
// deadlock, and a unique violation, where a concurrent writer was first and its row will be seen this time.
var worthAnotherRun = []string{"40001", "40P01", "23505"}

// Tx is a running transaction. Statements given to Later wait and leave together, before the next one that is asked
// for an answer, or before COMMIT.
type Tx struct {
	tx          pgx.Tx
	db          *Database
	later       pgx.Batch
	atCommit    map[string]any
	insert      []func()
	afterCommit []func()
}

// InTransaction runs work in a READ COMMITTED transaction and commits. Work may run more than once and must touch
// nothing but tx. No statement outlives the deadline of ctx: the database ends it, and gives its locks back.
func (db *Database) InTransaction(ctx context.Context, work func(tx *Tx) error) error {
	for attempt := 1; ; attempt++ {
		begin := "begin"
		if deadline, ok := ctx.Deadline(); ok {
			left := time.Until(deadline)
			if left <= 0 {
				return context.DeadlineExceeded
			}
			if left < statementTimeout {
				begin = fmt.Sprintf("begin; set local statement_timeout = %d", max(1, left.Milliseconds()))
			}
		}
		err := db.once(ctx, begin, func(tx *Tx) error {
			if err := work(tx); err != nil {
				return err
			}
			if err := tx.Flush(ctx); err != nil {
				return err
			}
			failpoint.Pass("transaction.commit.before")
			return nil
		})
		if err == nil {
			failpoint.Pass("transaction.commit.after")
			return nil
		}
		if attempt >= attempts || !slices.Contains(worthAnotherRun, sqlState(err)) {
			return err
		}
	}
}

// Once runs work in a transaction of its own, one time, in which these settings hold ("name = value").
func (db *Database) Once(ctx context.Context, settings []string, work func(tx *Tx) error) error {
	begin := "begin"
	for _, setting := range settings {
		begin += "; set local " + setting // all of it is one message
	}
	return db.once(ctx, begin, work)
}

func (db *Database) once(ctx context.Context, begin string, work func(tx *Tx) error) error {
	running, err := db.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin})
	if err != nil {
		return err
	}
	defer rollback(ctx, running) // does nothing after a commit
	tx := &Tx{tx: running, db: db, atCommit: map[string]any{}}
	if err := work(tx); err != nil {
		return err
	}
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	if err := running.Commit(ctx); err != nil {
		return err
	}
	for _, told := range tx.afterCommit {
		told()
	}
	return nil
}

// rollback also gives a connection back whose call is over, and gives up one whose server has fallen silent.
func rollback(ctx context.Context, running pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	running.Rollback(ctx)
}

// Pool is the database of the transaction.
func (tx *Tx) Pool() *Database { return tx.db }

// IsLost tells whether the connection of the transaction is gone, and the transaction with it.
func (tx *Tx) IsLost() bool { return tx.tx.Conn().IsClosed() }

// Later adds a statement whose answer nobody needs.
func (tx *Tx) Later(sql string, arguments ...any) { tx.later.Queue(sql, arguments...) }

// AtCommit is what tx keeps under name, made anew at its first use; write runs before COMMIT, after every statement
// of the work itself.
func AtCommit[T any](tx *Tx, name string, write func(*Tx, *T)) *T {
	if known, ok := tx.atCommit[name]; ok {
		return known.(*T)
	}
	made := new(T)
	tx.atCommit[name] = made
	tx.insert = append(tx.insert, func() { write(tx, made) })
	return made
}

// AfterCommit has told called once the transaction has committed.
func (tx *Tx) AfterCommit(told func()) { tx.afterCommit = append(tx.afterCommit, told) }

// Flush sends what waits, as the last statements before COMMIT.
func (tx *Tx) Flush(ctx context.Context) error {
	for _, write := range tx.insert {
		write()
	}
	tx.insert = nil
	return tx.send(ctx)
}

func (tx *Tx) send(ctx context.Context) error {
	if tx.later.Len() == 0 {
		return nil
	}
	batch := tx.later
	tx.later = pgx.Batch{}
	return tx.tx.SendBatch(ctx, &batch).Close()
}

// Query asks for rows.
func (tx *Tx) Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error) {
	if err := tx.send(ctx); err != nil {
		return nil, err
	}
	return tx.tx.Query(ctx, sql, arguments...)
}

// QueryRow asks for one row.
func (tx *Tx) QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row {
	if err := tx.send(ctx); err != nil {
		return failedRow{err}
	}
	return tx.tx.QueryRow(ctx, sql, arguments...)
}

// Exec runs a statement now.
func (tx *Tx) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	if err := tx.send(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return tx.tx.Exec(ctx, sql, arguments...)
}

type failedRow struct{ err error }

func (row failedRow) Scan(...any) error { return row.err }
