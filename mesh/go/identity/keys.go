package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysMaxAge   = 10 * time.Minute
	keysCooldown = 30 * time.Second
	// keysCount is for how long more keys count that cannot be read again: new ones are published a day ahead.
	keysCount = time.Hour
	// pauseAfterFailure keeps each token from asking again while the keys cannot be read.
	pauseAfterFailure = time.Second
	keysTimeout       = 2 * time.Second
	maxKeysBytes      = 256 * 1024
)

var errNoSuchKey = errors.New("there is no key of this id")

// Keys are the public keys of whoever issues access tokens (a JWK set), read when they are needed and kept.
type Keys struct {
	url    string
	client *http.Client

	mutex    sync.Mutex
	set      jose.JSONWebKeySet
	readAt   time.Time
	failedAt time.Time
}

// NewKeys reads url over TLS from the workload service, or from any server where that is "": keys that came from
// somebody else would let him sign in as anybody.
func NewKeys(url, service string, workload *Workload) *Keys {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if service != "" {
		transport.TLSClientConfig = workload.ClientTLS(service)
		transport.ForceAttemptHTTP2 = false
		transport.DisableKeepAlives = true
		transport.Proxy = nil
	}
	return &Keys{url: url, client: &http.Client{Transport: transport, Timeout: keysTimeout}}
}

// Find is the key of this id. It asks the issuer when the keys are old or the id is new, the latter at most once
// in 30 s.
func (k *Keys) Find(ctx context.Context, id string) (*jose.JSONWebKey, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock() // others wait for the one who reads
	age := time.Since(k.readAt)
	known := k.known(id)
	if known != nil && age < keysMaxAge {
		return known, nil
	}
	if age < keysCooldown {
		return nil, errNoSuchKey
	}
	lastKnown := func(err error) (*jose.JSONWebKey, error) {
		if known != nil && age < keysMaxAge+keysCount {
			return known, nil
		}
		return nil, err
	}
	if time.Since(k.failedAt) < pauseAfterFailure {
		return lastKnown(errors.New("the keys could not be read a moment ago"))
	}
	set, err := k.read(context.WithoutCancel(ctx))
	if err != nil {
		k.failedAt = time.Now()
		return lastKnown(err)
	}
	k.set, k.readAt = *set, time.Now()
	if key := k.known(id); key != nil {
		return key, nil
	}
	return nil, errNoSuchKey
}

func (k *Keys) known(id string) *jose.JSONWebKey {
	for _, key := range k.set.Key(id) {
		if (key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == string(jose.EdDSA)) && key.IsPublic() {
			return &key
		}
	}
	return nil
}

func (k *Keys) read(ctx context.Context) (*jose.JSONWebKeySet, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the keys: HTTP %d", response.StatusCode)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(response.Body, maxKeysBytes)).Decode(&set); err != nil {
		return nil, fmt.Errorf("the keys: %w", err)
	}
	return &set, nil
}
