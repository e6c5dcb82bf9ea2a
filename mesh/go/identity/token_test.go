package identity

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"weft.local/weft/mesh/go/rpc/refusal"
)

// issuer signs tokens and serves its keys.
type issuer struct {
	key    ed25519.PrivateKey
	server *httptest.Server
	asked  atomic.Int32
	away   atomic.Bool
}

func newIssuer(t *testing.T) *issuer {
	public, private, _ := ed25519.GenerateKey(nil)
	i := &issuer{key: private}
	i.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		if i.away.Load() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: public, KeyID: "k1", Algorithm: "EdDSA", Use: "sig"},
		}})
	}))
	t.Cleanup(i.server.Close)
	return i
}

type says map[string]any

func (i *issuer) token(t *testing.T, header map[string]any, change says) string {
	t.Helper()
	now := time.Now().Unix()
	claims := says{
		"iss": "https://issuer.test", "aud": "weft", "sub": "alice", "roles": []string{"customer"},
		"iat": now, "exp": now + 300, "jti": "1",
	}
	for name, value := range change {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	options := (&jose.SignerOptions{}).WithType("at+jwt").WithHeader("kid", "k1")
	for name, value := range header {
		options = options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: i.key}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(map[string]any(claims)).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

func (i *issuer) verifier() *Verifier {
	return &Verifier{
		Keys: NewKeys(i.server.URL, "", nil), Issuer: "https://issuer.test", Audience: "weft",
		IsRevoked: func(string, time.Time) bool { return false },
	}
}

func reasonOf(err error) string {
	var refused *refusal.Refusal
	if errors.As(err, &refused) {
		return refused.Reason
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestTokensAreTakenOrRefusedByWhatTheySay(t *testing.T) {
	i := newIssuer(t)
	now := time.Now().Unix()
	for what, try := range map[string]struct {
		header map[string]any
		claims says
		reason string
	}{
		"good":                 {nil, nil, ""},
		"of another kind":      {map[string]any{"typ": "JWT"}, nil, "TOKEN_INVALID"},
		"by an unknown key":    {map[string]any{"kid": "k2"}, nil, "TOKEN_INVALID"},
		"of another issuer":    {nil, says{"iss": "x"}, "TOKEN_INVALID"},
		"for another audience": {nil, says{"aud": "x"}, "TOKEN_INVALID"},
		"for several":          {nil, says{"aud": []string{"x", "weft"}}, ""},
		"expired":              {nil, says{"iat": now - 400, "exp": now - 100}, "TOKEN_EXPIRED"},
		"within the tolerance": {nil, says{"iat": now - 300, "exp": now - 2}, ""},
		"too long lived":       {nil, says{"exp": now + 3_600}, "TOKEN_INVALID"},
		"of long ago":          {nil, says{"iat": now - 3_600, "exp": now + 60}, "TOKEN_EXPIRED"},
		"of the future":        {nil, says{"iat": now + 60, "exp": now + 120}, "TOKEN_INVALID"},
		"not yet":              {nil, says{"nbf": now + 60}, "TOKEN_INVALID"},
		"without an id":        {nil, says{"jti": nil}, "TOKEN_INVALID"},
		"without a subject":    {nil, says{"sub": nil}, "TOKEN_INVALID"},
		"without roles":        {nil, says{"roles": nil}, "TOKEN_INVALID"},
		"with odd roles":       {nil, says{"roles": []any{1}}, "TOKEN_INVALID"},
	} {
		_, err := i.verifier().Verify(context.Background(), i.token(t, try.header, try.claims))
		if reasonOf(err) != try.reason {
			t.Errorf("%s: %v, not %q", what, err, try.reason)
		}
	}
	other := newIssuer(t)
	if _, err := i.verifier().Verify(context.Background(), other.token(t, nil, nil)); reasonOf(err) != "TOKEN_INVALID" {
		t.Errorf("signed by another: %v", err)
	}
}

func TestKeysAreReadOnceAndATokenIsCheckedOnce(t *testing.T) {
	i := newIssuer(t)
	verifier := i.verifier()
	for range 3 {
		if _, err := verifier.Verify(context.Background(), i.token(t, nil, nil)); err != nil {
			t.Fatal(err)
		}
	}
	verifier.Verify(context.Background(), i.token(t, map[string]any{"kid": "k9"}, nil))
	if asked := i.asked.Load(); asked != 1 {
		t.Errorf("the keys were read %d times", asked)
	}
}

func TestARevokedTokenIsRefusedThoughItWasGood(t *testing.T) {
	i := newIssuer(t)
	verifier := i.verifier()
	token := i.token(t, nil, nil)
	if _, err := verifier.Verify(context.Background(), token); err != nil {
		t.Fatal(err)
	}
	verifier.IsRevoked = func(user string, _ time.Time) bool { return user == "alice" }
	if _, err := verifier.Verify(context.Background(), token); reasonOf(err) != "TOKEN_REVOKED" {
		t.Errorf("%v", err)
	}
}

func TestKeysThatCannotBeReadAreNotTheTokensFault(t *testing.T) {
	i := newIssuer(t)
	i.away.Store(true)
	verifier := i.verifier()
	for range 3 {
		if _, err := verifier.Verify(context.Background(), i.token(t, nil, nil)); reasonOf(err) != "KEYS_UNAVAILABLE" {
			t.Errorf("%v", err)
		}
	}
	if asked := i.asked.Load(); asked != 1 {
		t.Errorf("asked %d times within a second", asked)
	}
}

func TestKeysThatWereReadCountForAnHourWhileTheyCannotBeReadAgain(t *testing.T) {
	i := newIssuer(t)
	verifier := i.verifier()
	verify := func(id string, header map[string]any) string {
		_, err := verifier.Verify(context.Background(), i.token(t, header, says{"jti": id}))
		return reasonOf(err)
	}
	if reason := verify("1", nil); reason != "" {
		t.Fatal(reason)
	}
	i.away.Store(true)
	verifier.Keys.readAt = time.Now().Add(-11 * time.Minute)
	for _, id := range []string{"11", "12"} {
		if reason := verify(id, nil); reason != "" {
			t.Errorf("eleven minutes later: %s", reason)
		}
	}
	if reason := verify("13", map[string]any{"kid": "k2"}); reason != "KEYS_UNAVAILABLE" {
		t.Errorf("a key that is not known: %s", reason)
	}
	verifier.Keys.readAt = time.Now().Add(-75 * time.Minute)
	if reason := verify("75", nil); reason != "KEYS_UNAVAILABLE" {
		t.Errorf("more than an hour later: %s", reason)
	}
}

// raw signs any header and payload with the right key.
func (i *issuer) raw(t *testing.T, header, payload string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	return "Bearer " + input + "." + encode(ed25519.Sign(i.key, []byte(input)))
}

func TestOddHeadersAndClaimsAreNoTokensThoughTheSignatureIsGood(t *testing.T) {
	i := newIssuer(t)
	now := time.Now().Unix()
	payload := func(exp string) string {
		return fmt.Sprintf(`{"iss":"https://issuer.test","aud":"weft","sub":"alice","roles":["a"],"jti":"1","iat":%d,"exp":%s}`, now, exp)
	}
	good := payload(strconv.FormatInt(now+300, 10))
	header := func(more string) string { return `{"alg":"EdDSA","typ":"at+jwt","kid":"k1"` + more + `}` }
	if _, err := i.verifier().Verify(context.Background(), i.raw(t, header(""), good)); err != nil {
		t.Fatal(err)
	}
	for what, try := range map[string][2]string{
		"unknown demands":      {header(`,"crit":["x"],"x":1`), good},
		"no demands":           {header(`,"crit":[]`), good},
		"payload not encoded":  {header(`,"crit":["b64"],"b64":false`), good},
		"without algorithm":    {`{"typ":"at+jwt","kid":"k1"}`, good},
		"another name of it":   {`{"alg":"Ed25519","typ":"at+jwt","kid":"k1"}`, good},
		"a list of key ids":    {`{"alg":"EdDSA","typ":"at+jwt","kid":["k1"]}`, good},
		"a list of types":      {`{"alg":"EdDSA","typ":["at+jwt"],"kid":"k1"}`, good},
		"without key id":       {`{"alg":"EdDSA","typ":"at+jwt"}`, good},
		"living for ever":      {header(""), payload("1e300")},
		"exp of zero":          {header(""), payload("0")},
		"exp as text":          {header(""), payload(`"` + strconv.FormatInt(now+300, 10) + `"`)},
		"a list as payload":    {header(""), "[" + good + "]"},
		"no issuer but a list": {header(""), strings.Replace(good, `"https://issuer.test"`, `["https://issuer.test"]`, 1)},
	} {
		_, err := i.verifier().Verify(context.Background(), i.raw(t, try[0], try[1]))
		if reason := reasonOf(err); reason != "TOKEN_INVALID" && !(what == "exp of zero" && reason == "TOKEN_EXPIRED") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
