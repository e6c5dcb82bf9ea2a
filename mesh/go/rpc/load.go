package rpc

import (
	"sync/atomic"

	"weft.local/weft/mesh/go/telemetry"
)

// Load is what a process serves at the moment, and what it gives up because more is in flight than the contract
// allows. (The TypeScript runtime also gives up calls while its event loop is late; there is none here.)
type Load struct {
	flying, shed atomic.Int64
}

// InFlight is the number of calls being served.
func (l *Load) InFlight() int64 { return l.flying.Load() }

// Shed is the number of calls given up since the process began.
func (l *Load) Shed() int64 { return l.shed.Load() }

// Observe shows it as metrics.
func (l *Load) Observe(tele *telemetry.Telemetry) {
	tele.Gauge("weft_load_in_flight", "Calls in flight", nil, func() float64 { return float64(l.InFlight()) })
	tele.Gauge("weft_load_shed_level",
		"What is given up: from 0, nothing, over 1, low importance, and 2, normal, to 3", nil,
		func() float64 { return 0 })
	tele.Counter("weft_load_shed_total", "Calls given up for lack of capacity", nil,
		func() float64 { return float64(l.Shed()) })
}
