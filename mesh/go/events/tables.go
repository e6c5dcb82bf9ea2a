package events

import _ "embed"

// Tables makes the tables of the events runtime, for a service's first migration.
//
//go:embed tables.sql
var Tables string
