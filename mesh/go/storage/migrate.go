package storage

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
)

// Migration is a step of the schema. Its name is that of the TypeScript migration it is the same as, so that a
// database may go from one implementation of its service to the other and back.
type Migration struct {
	Name string
	// SQL may have several statements.
	SQL string
}

// createList is what MikroORM's migrator makes.
const createList = `create table if not exists "mikro_orm_migrations" (
	"id" serial primary key, "name" varchar(255) not null,
	"executed_at" timestamptz not null default current_timestamp(6))`

// migrate lets one process migrate at a time, of whatever language, however many replicas start together.
func migrate(ctx context.Context, config *pgx.ConnConfig, migrations []Migration, log *slog.Logger) error {
	delete(config.RuntimeParams, "statement_timeout") // another may take its time
	delete(config.RuntimeParams, "lock_timeout")
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtext('weft_migrations'))"); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	var applied []string
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, createList); err != nil {
			return err
		}
		for _, migration := range migrations {
			var known bool
			err := tx.QueryRow(ctx, "select exists (select 1 from mikro_orm_migrations where name = $1)", migration.Name).Scan(&known)
			if err != nil {
				return err
			}
			if known {
				continue
			}
			if _, err := tx.Exec(ctx, migration.SQL); err != nil {
				return fmt.Errorf("%s: %w", migration.Name, err)
			}
			if _, err := tx.Exec(ctx, "insert into mikro_orm_migrations (name) values ($1)", migration.Name); err != nil {
				return err
			}
			applied = append(applied, migration.Name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if len(applied) > 0 {
		log.Info("schema migrated", "migrations", applied)
	}
	return nil
}
