// Package storage opens the database of a service, brings its schema up to date, and runs transactions.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"weft.local/weft/mesh/go/telemetry"
)

const (
	// lockTimeout and statementTimeout are the longest wait for a row lock and the longest statement.
	lockTimeout      = 500 * time.Millisecond
	statementTimeout = 5 * time.Second
	// LongestStatement is the longest limit that any statement may be given on the server.
	LongestStatement = 12 * time.Second
	connectTimeout   = 5 * time.Second
	poolSize         = 8
)

// Database is a pool of connections with the settings that every service shares.
type Database struct {
	*pgxpool.Pool
	pending atomic.Int64
}

// Open connects and brings the schema up to date.
func Open(
	ctx context.Context, url string, migrations []Migration, tele *telemetry.Telemetry, log *slog.Logger,
) (*Database, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("configuration: DATABASE_URL: cannot be parsed") // the text holds a password
	}
	db := &Database{}
	config.MaxConns, config.MinConns = poolSize, 0
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.Tracer = &tracer{db: db}
	for name, value := range map[string]string{
		"lock_timeout":                        milliseconds(lockTimeout),
		"statement_timeout":                   milliseconds(statementTimeout),
		"idle_in_transaction_session_timeout": "30000",
	} {
		config.ConnConfig.RuntimeParams[name] = value
	}
	if db.Pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	if err := migrate(ctx, config.ConnConfig.Copy(), migrations, log); err != nil {
		db.Close()
		return nil, err
	}
	db.observe(config.ConnConfig.Database, tele)
	return db, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// observe shows the pool by the semantic conventions for databases.
func (db *Database) observe(name string, tele *telemetry.Telemetry) {
	labels := func(more prometheus.Labels) prometheus.Labels {
		all := prometheus.Labels{"db_client_connection_pool_name": name}
		for label, value := range more {
			all[label] = value
		}
		return all
	}
	count, help := "db_client_connection_count", "Connections by state"
	tele.Gauge(count, help, labels(prometheus.Labels{"db_client_connection_state": "idle"}),
		func() float64 { return float64(db.Stat().IdleConns()) })
	tele.Gauge(count, help, labels(prometheus.Labels{"db_client_connection_state": "used"}),
		func() float64 { return float64(db.Stat().AcquiredConns()) })
	tele.Gauge("db_client_connection_max", "Most connections of the pool", labels(nil),
		func() float64 { return float64(db.Stat().MaxConns()) })
	tele.Gauge("db_client_connection_pending_requests", "Who waits for a connection", labels(nil),
		func() float64 { return float64(db.pending.Load()) })
}

// passing are classes and states that pass: connection lost, shutdown, lock or statement timeout, too many clients.
// 08P01 is a bad message, not a lost connection.
var passing = regexp.MustCompile(`^(08|53|57P0|40001|40P01|55P03|57014)`)

// IsUnavailable tells whether the database could not do its work now but may a moment later.
func IsUnavailable(err error) bool {
	if state := sqlState(err); state != "" {
		return passing.MatchString(state) && state != "08P01"
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || errors.Is(err, pgx.ErrTxCommitRollback) || pgconn.SafeToRetry(err)
}

func sqlState(err error) string {
	var database *pgconn.PgError
	if errors.As(err, &database) {
		return database.Code
	}
	return ""
}

// ErrorType is the value of error.type: an SQLSTATE or a class, never a text.
func ErrorType(err error) string {
	if state := sqlState(err); state != "" {
		return state
	}
	return fmt.Sprintf("%T", err)
}
