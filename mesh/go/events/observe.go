package events

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weft.local/weft/mesh/go/storage"
)

// Lag is how far behind events are, asked of the database when somebody reads it. What is away has no value then.
type Lag struct {
	db                               *storage.Database
	unpublished, oldest, deadLetters *prometheus.Desc
}

// NewLag makes a collector of the outbox and the dead letters of a database.
func NewLag(db *storage.Database) *Lag {
	return &Lag{
		db:          db,
		unpublished: prometheus.NewDesc("weft_outbox_unpublished", "Events that wait in the outbox", nil, nil),
		oldest:      prometheus.NewDesc("weft_outbox_oldest_seconds", "Age of the oldest event that waits in the outbox", nil, nil),
		deadLetters: prometheus.NewDesc("weft_dead_letters", "Events whose handling failed, by consumer and state", []string{"consumer", "state"}, nil),
	}
}

// Describe is of prometheus.Collector.
func (l *Lag) Describe(out chan<- *prometheus.Desc) {
	out <- l.unpublished
	out <- l.oldest
	out <- l.deadLetters
}

// Collect is of prometheus.Collector.
func (l *Lag) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 1_500*time.Millisecond)
	defer cancel()
	var depth, age float64
	err := l.db.QueryRow(ctx, `select count(*)::float8, coalesce(extract(epoch from now() - min(created_at)), 0)::float8
		from outbox where published_at is null`).Scan(&depth, &age)
	if err == nil {
		out <- prometheus.MustNewConstMetric(l.unpublished, prometheus.GaugeValue, depth)
		out <- prometheus.MustNewConstMetric(l.oldest, prometheus.GaugeValue, max(0, age))
	}
	rows, err := l.db.Query(ctx, `select consumer, state, count(*)::float8 from dead_letters
		where state in ('retrying', 'open') group by consumer, state`)
	if err != nil {
		return
	}
	defer rows.Close()
	for rows.Next() {
		var consumer, state string
		var count float64
		if rows.Scan(&consumer, &state, &count) == nil {
			out <- prometheus.MustNewConstMetric(l.deadLetters, prometheus.GaugeValue, count, consumer, state)
		}
	}
}
