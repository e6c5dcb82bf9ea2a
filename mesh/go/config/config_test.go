package config

import (
	"strings"
	"testing"
)

var complete = map[string]string{
	"PORT": "9004", "DATABASE_URL": "postgres://inventory:s3cret@127.0.0.1:5432/inventory", "NATS_URL": "nats://127.0.0.1:4222",
	"WEFT_IDENTITY_CERT": "a", "WEFT_IDENTITY_KEY": "b", "WEFT_TRUST_BUNDLE": "c",
	"WEFT_JWKS_URL": "https://127.0.0.1:9001/keys", "WEFT_TOKEN_ISSUER": "i", "WEFT_TOKEN_AUDIENCE": "a",
}

func read(changes map[string]string) (*Config, error) {
	return Read(func(name string) string {
		if value, ok := changes[name]; ok {
			return value
		}
		return complete[name]
	})
}

func TestACompleteEnvironmentIsTakenWithTheUsualDefaults(t *testing.T) {
	config, err := read(nil)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "127.0.0.1" || config.Port != 9004 || config.Discovery != "static" || config.DirectCalls || config.Faults {
		t.Errorf("%+v", config)
	}
}

func TestWhatIsWrongIsNamedWithoutItsValue(t *testing.T) {
	for name, value := range map[string]string{
		"PORT": "s3cret", "DATABASE_URL": "mysql://s3cret", "NATS_URL": "", "WEFT_IDENTITY_KEY": "", "WEFT_DISCOVERY": "s3cret",
		"WEFT_STREAM_REPLICAS": "2", "LOG_LEVEL": "loud", "WEFT_MESH": "istio", "WEFT_INSTANCE": "a b", "WEFT_JWKS_URL": "s3cret",
	} {
		_, err := read(map[string]string{name: value})
		if err == nil || !strings.Contains(err.Error(), name+": ") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	_, err := read(map[string]string{"NODE_ENV": "production", "WEFT_DIRECT_CALLS": "allow", "WEFT_FAULTS": "allow"})
	if err == nil || !strings.Contains(err.Error(), "WEFT_DIRECT_CALLS") || !strings.Contains(err.Error(), "WEFT_FAULTS") {
		t.Errorf("%v", err)
	}
}
