package telemetry

import (
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Settings of the export of spans, by the names of OpenTelemetry's specification where it has one;
// mesh/runtime/telemetry/README.md lists them.
type Settings struct {
	// TracesURL takes OTLP traces; "": nobody collects them.
	TracesURL string
	Headers   map[string]string
	// Ratio is the share of the traces beginning here that are recorded, 0 to 1.
	Ratio                  float64
	Delay, Timeout         time.Duration
	QueueLimit, BatchLimit int
	Version, Instance      string
	Resource               map[string]string
}

// ReadSettings parses the environment. The error names the variable, not its value.
func ReadSettings(getenv func(string) string) (*Settings, error) {
	settings := &Settings{
		Ratio: 0.01, Delay: time.Second, Timeout: 10 * time.Second, QueueLimit: 4_096, BatchLimit: 512,
		Version: "dev", Instance: uuid.NewString(),
	}
	var failed error
	wrong := func(name string) {
		if failed == nil {
			failed = fmt.Errorf("configuration: %s: is malformed", name)
		}
	}
	number := func(name string, least, most float64, set func(float64)) {
		text := getenv(name)
		if text == "" {
			return
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || value < least || value > most {
			wrong(name)
			return
		}
		set(value)
	}
	milliseconds := func(target *time.Duration) func(float64) {
		return func(value float64) { *target = time.Duration(value) * time.Millisecond }
	}
	whole := func(target *int) func(float64) { return func(value float64) { *target = int(value) } }
	ratio := func(value float64) { settings.Ratio = value }
	number("OTEL_TRACES_SAMPLER_ARG", 0, 1, ratio)
	number("WEFT_TRACE_RATIO", 0, 1, ratio)
	number("OTEL_EXPORTER_OTLP_TIMEOUT", 1, 600_000, milliseconds(&settings.Timeout))
	number("OTEL_BSP_SCHEDULE_DELAY", 1, 600_000, milliseconds(&settings.Delay))
	number("OTEL_BSP_MAX_QUEUE_SIZE", 1, 1_000_000, whole(&settings.QueueLimit))
	number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 10_000, whole(&settings.BatchLimit))

	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "WEFT_OTLP_ENDPOINT"} {
		if base := getenv(name); base != "" {
			settings.TracesURL = strings.TrimSuffix(base, "/") + "/v1/traces"
		}
	}
	if full := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); full != "" {
		settings.TracesURL = full
	}
	if parsed, err := url.Parse(settings.TracesURL); err != nil || (settings.TracesURL != "" && parsed.Host == "") {
		wrong("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		settings.TracesURL = ""
	}
	var err error
	if settings.Headers, err = pairs(getenv("OTEL_EXPORTER_OTLP_HEADERS")); err != nil {
		wrong("OTEL_EXPORTER_OTLP_HEADERS")
	}
	if settings.Resource, err = pairs(getenv("OTEL_RESOURCE_ATTRIBUTES")); err != nil {
		wrong("OTEL_RESOURCE_ATTRIBUTES")
	}
	if version := getenv("WEFT_VERSION"); version != "" {
		settings.Version = version
	}
	if instance := getenv("WEFT_INSTANCE"); instance != "" {
		settings.Instance = instance
	}
	return settings, failed
}

// pairs reads "a=1,b=2" with percent-encoded values.
func pairs(text string) (map[string]string, error) {
	found := map[string]string{}
	for entry := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		name, value, ok := strings.Cut(entry, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil {
			return nil, fmt.Errorf("must be NAME=VALUE,NAME=VALUE")
		}
		found[strings.TrimSpace(name)] = decoded
	}
	return found, nil
}

// resourceOf describes the process by the semantic conventions for resources.
func resourceOf(service string, settings *Settings) []Attribute {
	host, _ := os.Hostname()
	about := []Attribute{}
	for name, value := range settings.Resource {
		about = append(about, Attribute{name, value})
	}
	return append(about,
		Attribute{"service.name", service},
		Attribute{"service.version", settings.Version},
		Attribute{"service.instance.id", settings.Instance},
		Attribute{"host.name", host},
		Attribute{"process.pid", os.Getpid()},
		Attribute{"process.runtime.name", "go"},
		Attribute{"process.runtime.version", strings.TrimPrefix(runtime.Version(), "go")},
		Attribute{"telemetry.sdk.name", "weft"},
		Attribute{"telemetry.sdk.language", "go"},
		Attribute{"telemetry.sdk.version", settings.Version},
	)
}
