package telemetry

import (
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Buckets are upper bounds in seconds: what the semantic conventions advise for calls.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// Telemetry has the spans and numbers of one process.
type Telemetry struct {
	Tracer   *Tracer
	Registry *prometheus.Registry
	// Calls counts the calls that this process answers.
	Calls    *prometheus.HistogramVec
	exporter *exporter
}

// Start begins collecting.
func Start(service string, settings *Settings, log *slog.Logger) *Telemetry {
	about := resourceOf(service, settings)
	t := &Telemetry{
		Tracer:   &Tracer{ratio: settings.Ratio},
		Registry: prometheus.NewRegistry(),
		Calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rpc_server_call_duration_seconds",
			Help:    "Duration of the calls that this process answers",
			Buckets: buckets,
		}, []string{"rpc_system_name", "rpc_method", "weft_caller", "rpc_response_status_code", "error_type"}),
	}
	t.Registry.MustRegister(t.Calls, collectors.NewGoCollector())
	t.targetInfo(about)
	t.observeProcess()
	if settings.TracesURL != "" {
		t.exporter = startExporter(settings, about, func(problem string) {
			log.Warn("the collector does not take spans; calls go on without", "problem", problem)
		})
		t.Tracer.sink = t.exporter.add
		t.observeSpans()
	}
	return t
}

// Handler answers GET /metrics in Prometheus' text format.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.Registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError,
		Timeout:       2 * time.Second,
	})
}

// Gauge shows what read returns whenever somebody looks.
func (t *Telemetry) Gauge(name, help string, labels prometheus.Labels, read func() float64) {
	t.Registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// Counter shows what read returns, which only grows.
func (t *Telemetry) Counter(name, help string, labels prometheus.Labels, read func() float64) {
	t.Registry.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// Stop sends the spans that wait, for two seconds at most.
func (t *Telemetry) Stop() {
	if t.exporter != nil {
		t.exporter.stop()
	}
}

// targetInfo is one series that is always 1 and says what runs (OpenTelemetry's compatibility with Prometheus).
func (t *Telemetry) targetInfo(about []Attribute) {
	labels := prometheus.Labels{}
	for _, attribute := range about {
		value, isText := attribute.Value.(string)
		if isText && (strings.HasPrefix(attribute.Name, "service.") || strings.HasPrefix(attribute.Name, "process.runtime.")) {
			labels[strings.ReplaceAll(attribute.Name, ".", "_")] = value
		}
	}
	t.Gauge("target_info", "What runs", labels, func() float64 { return 1 })
}

func (t *Telemetry) observeSpans() {
	for outcome, read := range map[string]func() float64{
		"exported": func() float64 { exported, _, _ := t.exporter.counts(); return exported },
		"dropped":  func() float64 { _, dropped, _ := t.exporter.counts(); return dropped },
		"refused":  func() float64 { _, _, refused := t.exporter.counts(); return refused },
	} {
		t.Counter("weft_spans_total", "Spans by what became of them", prometheus.Labels{"outcome": outcome}, read)
	}
}

// observeProcess shows the process's own figures by the semantic conventions for processes.
func (t *Telemetry) observeProcess() {
	began := time.Now()
	t.Gauge("process_uptime_seconds", "Time since the process began", nil, func() float64 {
		return time.Since(began).Seconds()
	})
	t.Gauge("process_memory_usage_bytes", "Resident memory", nil, residentBytes)
	for _, mode := range []string{"user", "system"} {
		t.Counter("process_cpu_time_seconds_total", "CPU time by mode", prometheus.Labels{"cpu_mode": mode},
			func() float64 {
				var usage syscall.Rusage
				syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
				spent := usage.Utime
				if mode == "system" {
					spent = usage.Stime
				}
				return float64(spent.Sec) + float64(spent.Usec)/1e6
			})
	}
}

// residentBytes asks Linux; elsewhere it is what the runtime holds of the system's memory.
func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 1 {
		if pages, err := strconv.ParseFloat(fields[1], 64); err == nil {
			return pages * float64(os.Getpagesize())
		}
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return float64(memory.Sys - memory.HeapReleased)
}
