package identity

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"google.golang.org/grpc/codes"

	"weft.local/weft/mesh/go/rpc/refusal"
)

const (
	// MaxTokenLife is the longest life of an access token that is accepted, whatever it says of itself.
	MaxTokenLife   = 15 * time.Minute
	maxTokenBytes  = 4_096
	cacheSize      = 1_000
	clockTolerance = 5 * time.Second
)

// Principal is a user with a valid access token.
type Principal struct {
	// ID is the token's claim sub.
	ID    string
	Roles []string
	// ClientID is the program that the user signed in with; "" where the token does not say.
	ClientID string
}

// HasRole tells whether the user has one of these roles.
func (p *Principal) HasRole(roles []string) bool {
	for _, role := range roles {
		for _, has := range p.Roles {
			if role == has {
				return true
			}
		}
	}
	return false
}

// Verifier checks users' access tokens locally (RFC 9068, RFC 8725) against cached public keys.
type Verifier struct {
	Keys             *Keys
	Issuer, Audience string
	// IsRevoked tells whether a token of user, issued then, is void before its time.
	IsRevoked func(user string, issuedAt time.Time) bool

	mutex    sync.Mutex
	verified map[string]verifiedToken
}

type verifiedToken struct {
	principal           *Principal
	issuedAt, expiresAt time.Time
}

var bearer = regexp.MustCompile(`(?i)^Bearer ([\w.~+/=-]+)$`)

// Verify checks a value of the header Authorization. Its errors are refusals with code UNAUTHENTICATED, or
// UNAVAILABLE when the keys cannot be read.
func (v *Verifier) Verify(ctx context.Context, authorization string) (*Principal, error) {
	v.mutex.Lock()
	known, ok := v.verified[authorization]
	v.mutex.Unlock()
	if !ok || !known.expiresAt.After(time.Now()) {
		var err error
		if known, err = v.check(ctx, authorization); err != nil {
			return nil, err
		}
		v.remember(authorization, known)
	}
	if v.IsRevoked(known.principal.ID, known.issuedAt) {
		return nil, refusal.New(codes.Unauthenticated, "TOKEN_REVOKED",
			"the access token is not valid any more; sign in again")
	}
	return known.principal, nil
}

func (v *Verifier) remember(authorization string, token verifiedToken) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.verified == nil {
		v.verified = make(map[string]verifiedToken)
	}
	if len(v.verified) >= cacheSize {
		for any := range v.verified {
			delete(v.verified, any)
			break
		}
	}
	v.verified[authorization] = token
}

type claims struct {
	Issuer   string       `json:"iss"`
	Subject  string       `json:"sub"`
	Audience jwt.Audience `json:"aud"`
	Expiry   *seconds     `json:"exp"`
	NotYet   *seconds     `json:"nbf"`
	IssuedAt *seconds     `json:"iat"`
	ID       string       `json:"jti"`
	ClientID any          `json:"client_id"`
	Roles    *[]string    `json:"roles"`
}

// seconds since 1970, with fractions (RFC 7519, NumericDate).
type seconds float64

// latest is a time that a number of nanoseconds can hold; beyond it every time is as good as this one.
const latest seconds = 1 << 33

func (s seconds) time() time.Time {
	s = max(-latest, min(latest, s))
	return time.UnixMilli(int64(s * 1_000))
}

var keyID = regexp.MustCompile(`^[\w-]{1,64}$`)

func (v *Verifier) check(ctx context.Context, authorization string) (verifiedToken, error) {
	match := bearer.FindStringSubmatch(authorization)
	if match == nil || len(match[1]) > maxTokenBytes {
		return verifiedToken{}, invalid("the header Authorization must be: Bearer TOKEN")
	}
	token, err := jwt.ParseSigned(match[1], []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(token.Headers) != 1 {
		return verifiedToken{}, invalid("the access token is not valid")
	}
	header := token.Headers[0]
	if _, demands := header.ExtraHeaders["crit"]; demands { // of extensions, none of which is used here
		return verifiedToken{}, invalid("the access token is not valid")
	}
	kind, _ := header.ExtraHeaders[jose.HeaderType].(string)
	if strings.TrimPrefix(strings.ToLower(kind), "application/") != "at+jwt" || !keyID.MatchString(header.KeyID) {
		return verifiedToken{}, invalid("the access token is not valid")
	}
	key, err := v.Keys.Find(ctx, header.KeyID)
	if errors.Is(err, errNoSuchKey) {
		return verifiedToken{}, invalid("the access token is not valid")
	}
	if err != nil {
		return verifiedToken{}, refusal.New(codes.Unavailable, "KEYS_UNAVAILABLE",
			"the keys of access tokens cannot be read now").Because(err)
	}
	var said claims
	if err := token.Claims(key, &said); err != nil {
		return verifiedToken{}, invalid("the access token is not valid")
	}
	return v.judge(said, time.Now())
}

// judge looks at what a token says of itself, after its signature.
func (v *Verifier) judge(said claims, now time.Time) (verifiedToken, error) {
	complete := said.Subject != "" && said.IssuedAt != nil && said.Expiry != nil && said.ID != "" && said.Roles != nil
	if !complete || said.Issuer != v.Issuer || !said.Audience.Contains(v.Audience) {
		return verifiedToken{}, invalid("the access token is not valid")
	}
	issued, expires := said.IssuedAt.time(), said.Expiry.time()
	if (said.NotYet != nil && said.NotYet.time().After(now.Add(clockTolerance))) || issued.After(now.Add(clockTolerance)) {
		return verifiedToken{}, invalid("the access token is not valid")
	}
	if !expires.After(now.Add(-clockTolerance)) || now.Sub(issued) > MaxTokenLife+clockTolerance {
		return verifiedToken{}, refusal.New(codes.Unauthenticated, "TOKEN_EXPIRED", "the access token has expired")
	}
	if expires.Sub(issued) > MaxTokenLife {
		return verifiedToken{}, invalid("the access token lives too long")
	}
	clientID, _ := said.ClientID.(string)
	principal := &Principal{ID: said.Subject, Roles: *said.Roles, ClientID: clientID}
	return verifiedToken{principal: principal, issuedAt: issued, expiresAt: expires}, nil
}

func invalid(message string) error {
	return refusal.New(codes.Unauthenticated, "TOKEN_INVALID", message)
}
