package identity

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is the time between two looks at the files, which somebody else renews.
	lookEvery = 5 * time.Second
	// overdue is less than half of a certificate's life, when renewal comes.
	overdue = time.Hour
)

// Workload is who this process is among the workloads of the mesh, and how it proves that.
type Workload struct {
	Name   string
	Domain Domain

	files   [3]string // certificate, key, roots
	log     *slog.Logger
	current atomic.Pointer[credentialSet]

	mutex     sync.Mutex
	onRenewal []func()
	stop      chan struct{}
}

type credentialSet struct {
	texts    [3][]byte
	pair     tls.Certificate
	roots    *x509.CertPool
	notAfter time.Time
}

// LoadWorkload reads the PEM files and keeps looking at them until Close.
func LoadWorkload(name string, domain Domain, certificate, key, roots string, log *slog.Logger) (*Workload, error) {
	w := &Workload{
		Name: name, Domain: domain, files: [3]string{certificate, key, roots}, log: log,
		stop: make(chan struct{}),
	}
	set, err := w.read()
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	w.current.Store(set)
	go w.watch()
	return w, nil
}

// Close stops looking at the files.
func (w *Workload) Close() { close(w.stop) }

// NotAfter is the end of the certificate's life.
func (w *Workload) NotAfter() time.Time { return w.current.Load().notAfter }

// OnRenewal has listener called after each renewal.
func (w *Workload) OnRenewal(listener func()) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.onRenewal = append(w.onRenewal, listener)
}

func (w *Workload) watch() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	reported := ""
	for {
		select {
		case <-w.stop:
			return
		case <-ticker.C:
		}
		if err := w.reload(); err != nil {
			if err.Error() != reported {
				w.log.Warn("certificate not renewed", "problem", err.Error(), "notAfter", w.NotAfter())
			}
			reported = err.Error()
		} else {
			reported = ""
		}
	}
}

// reload leaves everything as it was when the files, being written perhaps, do not fit together.
func (w *Workload) reload() error {
	before := w.current.Load()
	texts, err := w.readTexts()
	if err != nil {
		return err
	}
	if equalTexts(texts, before.texts) {
		if time.Until(before.notAfter) < overdue {
			return errors.New("nobody has renewed it")
		}
		return nil
	}
	set, err := w.check(texts)
	if err != nil {
		return err
	}
	w.current.Store(set)
	w.log.Info("certificate renewed", "notAfter", set.notAfter)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, listener := range w.onRenewal {
		listener()
	}
	return nil
}

func equalTexts(a, b [3][]byte) bool {
	return bytes.Equal(a[0], b[0]) && bytes.Equal(a[1], b[1]) && bytes.Equal(a[2], b[2])
}

func (w *Workload) read() (*credentialSet, error) {
	texts, err := w.readTexts()
	if err != nil {
		return nil, err
	}
	return w.check(texts)
}

func (w *Workload) readTexts() (texts [3][]byte, err error) {
	for i, file := range w.files {
		if texts[i], err = os.ReadFile(file); err != nil {
			return texts, err
		}
	}
	return texts, nil
}

func (w *Workload) check(texts [3][]byte) (*credentialSet, error) {
	pair, err := tls.X509KeyPair(texts[0], texts[1]) // also checks that they belong together
	if err != nil {
		return nil, err
	}
	name, err := NameInCertificate(pair.Leaf, w.Domain)
	if err != nil {
		return nil, err
	}
	if name != w.Name {
		return nil, fmt.Errorf("the certificate belongs to %q, not to %q", name, w.Name)
	}
	if !time.Now().Before(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("the certificate expired at %s", pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(texts[2]) {
		return nil, errors.New("the trust bundle has no certificate")
	}
	return &credentialSet{texts: texts, pair: pair, roots: roots, notAfter: pair.Leaf.NotAfter}, nil
}

// Peer is who is at the other end of a connection, as far as the connection proves it. Exactly one of Name and
// Refused is set for a peer that showed a certificate, neither for one that showed none.
type Peer struct {
	Name string
	// ValidUntil is the end of the proof.
	ValidUntil time.Time
	// Refused says, for the log, why what the peer showed proves nothing.
	Refused string
}

// PeerOf judges the certificates that a client has shown.
func (w *Workload) PeerOf(shown []*x509.Certificate) Peer {
	if len(shown) == 0 {
		return Peer{}
	}
	name, err := w.verify(shown, x509.ExtKeyUsageClientAuth)
	if err != nil {
		return Peer{Refused: err.Error()}
	}
	return Peer{Name: name, ValidUntil: shown[0].NotAfter}
}

func (w *Workload) verify(shown []*x509.Certificate, usage x509.ExtKeyUsage) (string, error) {
	intermediates := x509.NewCertPool()
	for _, certificate := range shown[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{
		Roots:         w.current.Load().roots,
		Intermediates: intermediates,
		KeyUsages:     []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return "", err
	}
	return NameInCertificate(shown[0], w.Domain)
}

// ServerTLS is TLS 1.3 for a server. It ends no connection of a peer whose certificate is missing or wrong: calls
// by it are refused one by one, with a status that says why.
func (w *Workload) ServerTLS() *tls.Config {
	base := &tls.Config{
		MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequestClientCert,
		NextProtos: []string{"h2", "http/1.1"},
		// A resumed session would bring back a certificate that may have expired since.
		SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &w.current.Load().pair, nil
		},
	}
	return base
}

// ClientTLS is TLS 1.3 to the workload callee and nobody else: names are SPIFFE ids, so DNS names say nothing.
func (w *Workload) ClientTLS(callee string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &w.current.Load().pair, nil
		},
		// The chain and the name are checked below, by our own roots.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			name, err := w.verify(state.PeerCertificates, x509.ExtKeyUsageServerAuth)
			if err == nil && name != callee {
				err = fmt.Errorf("the server is %q", name)
			}
			if err != nil {
				w.log.Warn("the server is not who it should be", "upstream", callee, "problem", err.Error())
				return fmt.Errorf("the server is not %q", callee)
			}
			return nil
		},
	}
}
