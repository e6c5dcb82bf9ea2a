package events

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// consumerLag is how far behind consumers are, asked of the broker when somebody reads it. What is away has no value
// then.
type consumerLag struct {
	readers           []*Reader
	bus               *Bus
	pending, inFlight *prometheus.Desc
}

func newConsumerLag(readers []*Reader, bus *Bus) *consumerLag {
	labels := []string{"consumer"}
	return &consumerLag{
		readers: readers, bus: bus,
		pending: prometheus.NewDesc("weft_consumer_pending", "Events that a consumer has not been given yet", labels, nil),
		inFlight: prometheus.NewDesc("weft_consumer_in_flight",
			"Events that a consumer was given and has not acknowledged", labels, nil),
	}
}

// Describe is of prometheus.Collector.
func (l *consumerLag) Describe(out chan<- *prometheus.Desc) {
	out <- l.pending
	out <- l.inFlight
}

// Collect is of prometheus.Collector.
func (l *consumerLag) Collect(out chan<- prometheus.Metric) {
	if !l.bus.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 1_500*time.Millisecond)
	defer cancel()
	for _, reader := range l.readers {
		durable, err := findDurable(ctx, l.bus, reader.contract.stream, reader.consumer)
		if err != nil || durable == nil {
			continue
		}
		info := durable.CachedInfo() // just read
		out <- prometheus.MustNewConstMetric(l.pending, prometheus.GaugeValue, float64(info.NumPending), reader.consumer)
		out <- prometheus.MustNewConstMetric(l.inFlight, prometheus.GaugeValue, float64(info.NumAckPending), reader.consumer)
	}
}
