// Package config reads the environment of a process, once and strictly: the same variables as
// mesh/runtime/config.ts. An error names the variable, never what a secret's value was.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Config has the settings of one process.
type Config struct {
	// Host and Port to listen on; port 0 takes a free one.
	Host string
	Port int
	// DatabaseURL is the PostgreSQL of this service.
	DatabaseURL string
	NatsURL     string
	// StreamReplicas is the number of copies of each event stream in a NATS cluster.
	StreamReplicas int
	// Discovery is "static", "dns" or "registry"; only the last has this process enter itself somewhere.
	Discovery string
	// Address under which others reach this process; "": host and port it listens on.
	Address string
	// Instance names this process among the replicas of its service; "": one is made up.
	Instance string
	Version  string
	// CertFile, KeyFile and TrustBundle are PEM files: this workload's certificate, its key, and the roots.
	CertFile, KeyFile, TrustBundle string
	TrustDomain, Namespace         string
	// JwksURL is where the keys of users' access tokens are; JwksService names the workload that answers there
	// over TLS between workloads, "" for a server outside.
	JwksURL, JwksService string
	// TokenIssuer and TokenAudience are what access tokens must say.
	TokenIssuer, TokenAudience string
	// DirectCalls lets callers without a workload identity call what the edge may. Development only.
	DirectCalls bool
	// Faults may be injected on purpose. Development only.
	Faults bool
	// SeedFile is a JSON file with development data; "": none.
	SeedFile string
	LogLevel string
}

// reader collects what is wrong with all variables, so that one start tells all of it.
type reader struct {
	getenv   func(string) string
	problems []string
}

// Read parses the environment.
func Read(getenv func(string) string) (*Config, error) {
	r := &reader{getenv: getenv}
	config := &Config{
		Host:           r.text("WEFT_HOST", "127.0.0.1"),
		Port:           r.port("PORT"),
		DatabaseURL:    r.url("DATABASE_URL", true, "postgres", "postgresql"),
		NatsURL:        r.url("NATS_URL", true, "nats", "tls"),
		StreamReplicas: r.count("WEFT_STREAM_REPLICAS", 1, 1, 3, 5),
		Discovery:      r.choice("WEFT_DISCOVERY", "static", "static", "dns", "registry"),
		Address:        strings.TrimSuffix(r.url("WEFT_ADDRESS", false, "http", "https"), "/"),
		Instance:       r.matching("WEFT_INSTANCE", "", `^[A-Za-z0-9_-]{1,100}$`),
		Version:        r.matching("WEFT_VERSION", "dev", `^.{1,100}$`),
		CertFile:       r.needed("WEFT_IDENTITY_CERT"),
		KeyFile:        r.needed("WEFT_IDENTITY_KEY"),
		TrustBundle:    r.needed("WEFT_TRUST_BUNDLE"),
		TrustDomain:    r.matching("WEFT_TRUST_DOMAIN", "weft.local", `^[a-z0-9._-]+$`),
		Namespace:      r.matching("WEFT_NAMESPACE", "default", `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`),
		JwksURL:        r.url("WEFT_JWKS_URL", true, "http", "https"),
		JwksService:    r.text("WEFT_JWKS_SERVICE", ""),
		TokenIssuer:    r.needed("WEFT_TOKEN_ISSUER"),
		TokenAudience:  r.needed("WEFT_TOKEN_AUDIENCE"),
		DirectCalls:    r.choice("WEFT_DIRECT_CALLS", "deny", "allow", "deny") == "allow",
		Faults:         r.choice("WEFT_FAULTS", "deny", "allow", "deny") == "allow",
		SeedFile:       r.text("WEFT_SEED_FILE", ""),
		LogLevel:       r.choice("LOG_LEVEL", "info", "trace", "debug", "info", "warn", "error", "silent"),
	}
	if mesh := r.text("WEFT_MESH", "none"); mesh != "none" {
		r.wrong("WEFT_MESH", "this runtime proves identities by its own certificates: it must be none")
	}
	if getenv("NODE_ENV") == "production" && config.DirectCalls {
		r.wrong("WEFT_DIRECT_CALLS", "must not be allow in production")
	}
	if getenv("NODE_ENV") == "production" && config.Faults {
		r.wrong("WEFT_FAULTS", "must not be allow in production")
	}
	if len(r.problems) > 0 {
		return nil, errors.New("configuration: " + strings.Join(r.problems, "; "))
	}
	return config, nil
}

func (r *reader) wrong(name, reason string) {
	r.problems = append(r.problems, name+": "+reason)
}

func (r *reader) text(name, otherwise string) string {
	if value := r.getenv(name); value != "" {
		return value
	}
	return otherwise
}

func (r *reader) needed(name string) string {
	value := r.getenv(name)
	if value == "" {
		r.wrong(name, "is required")
	}
	return value
}

func (r *reader) matching(name, otherwise, pattern string) string {
	value := r.text(name, otherwise)
	if value != "" && !regexp.MustCompile(pattern).MatchString(value) {
		r.wrong(name, "must match "+pattern)
	}
	return value
}

func (r *reader) choice(name, otherwise string, values ...string) string {
	value := r.text(name, otherwise)
	if !slices.Contains(values, value) {
		r.wrong(name, "must be one of "+strings.Join(values, ", "))
	}
	return value
}

func (r *reader) count(name string, otherwise int, values ...int) int {
	number, err := strconv.Atoi(r.text(name, strconv.Itoa(otherwise)))
	if err != nil || !slices.Contains(values, number) {
		r.wrong(name, fmt.Sprintf("must be one of %v", values))
	}
	return number
}

func (r *reader) port(name string) int {
	number, err := strconv.Atoi(r.needed(name))
	if r.getenv(name) != "" && (err != nil || number < 0 || number > 65_535) {
		r.wrong(name, "must be a port, 0 to 65535")
	}
	return number
}

// url repeats no value: it may hold a password.
func (r *reader) url(name string, needed bool, schemes ...string) string {
	value := r.getenv(name)
	if value == "" {
		if needed {
			r.wrong(name, "is required")
		}
		return ""
	}
	// Several servers of NATS may stand in one variable.
	for each := range strings.SplitSeq(value, ",") {
		parsed, err := url.Parse(strings.TrimSpace(each))
		if err != nil || parsed.Host == "" || !slices.Contains(schemes, parsed.Scheme) {
			r.wrong(name, "must be a URL that starts with "+strings.Join(schemes, ":// or ")+"://")
			break
		}
	}
	return value
}
