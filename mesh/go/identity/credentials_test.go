package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var domain = Domain{Trust: "weft.local", Namespace: "default"}

// authority issues certificates for the tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, _ := x509.ParseCertificate(der)
	return &authority{certificate, key}
}

// issue writes a certificate with these URIs, valid for so long, with its key and the root into a folder.
func (a *authority) issue(t *testing.T, life time.Duration, uris ...string) (files [3]string, certificate *x509.Certificate) {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life),
	}
	for _, text := range uris {
		uri, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = append(template.URIs, uri)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, _ = x509.ParseCertificate(der)
	private, _ := x509.MarshalPKCS8PrivateKey(key)
	folder := t.TempDir()
	for i, part := range []struct {
		kind string
		der  []byte
	}{{"CERTIFICATE", der}, {"PRIVATE KEY", private}, {"CERTIFICATE", a.certificate.Raw}} {
		files[i] = filepath.Join(folder, string(rune('a'+i))+".pem")
		text := pem.EncodeToMemory(&pem.Block{Type: part.kind, Bytes: part.der})
		if err := os.WriteFile(files[i], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files, certificate
}

func load(t *testing.T, name string, files [3]string) *Workload {
	t.Helper()
	workload, err := LoadWorkload(name, domain, files[0], files[1], files[2], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(workload.Close)
	return workload
}

func TestOneSpiffeIDNamesAWorkloadAndNothingElseDoes(t *testing.T) {
	root := newAuthority(t)
	id := domain.ID("order")
	for _, try := range []struct {
		uris []string
		name string
	}{
		{[]string{id}, "order"},
		{nil, ""},
		{[]string{id, domain.ID("edge")}, ""},
		{[]string{"spiffe://other/ns/default/sa/order"}, ""},
		{[]string{"spiffe://weft.local/ns/prod/sa/order"}, ""},
		{[]string{id + "/x"}, ""},
		{[]string{strings.ToUpper(id)}, ""},
		{[]string{"https://weft.local/ns/default/sa/order"}, ""},
	} {
		_, certificate := root.issue(t, time.Hour, try.uris...)
		name, err := NameInCertificate(certificate, domain)
		if (err == nil) != (try.name != "") || (err == nil && name != try.name) {
			t.Errorf("%v: %q, %v", try.uris, name, err)
		}
	}
	if _, err := NameInCertificate(root.certificate, domain); err == nil {
		t.Error("an authority's certificate named a workload")
	}
}

func TestAPeerIsProvedByOurRootsAlone(t *testing.T) {
	root := newAuthority(t)
	files, _ := root.issue(t, time.Hour, domain.ID("inventory"))
	workload := load(t, "inventory", files)
	_, ours := root.issue(t, time.Hour, domain.ID("order"))
	_, expired := root.issue(t, -time.Minute, domain.ID("order"))
	_, foreign := newAuthority(t).issue(t, time.Hour, domain.ID("order"))
	if peer := workload.PeerOf([]*x509.Certificate{ours}); peer.Name != "order" || peer.Refused != "" {
		t.Errorf("ours: %+v", peer)
	}
	for what, certificate := range map[string]*x509.Certificate{"expired": expired, "foreign": foreign} {
		if peer := workload.PeerOf([]*x509.Certificate{certificate}); peer.Name != "" || peer.Refused == "" {
			t.Errorf("%s: %+v", what, peer)
		}
	}
	if peer := workload.PeerOf(nil); peer != (Peer{}) {
		t.Errorf("nothing shown: %+v", peer)
	}
}

func TestACertificateOfAnotherIsNotLoaded(t *testing.T) {
	root := newAuthority(t)
	other, _ := root.issue(t, time.Hour, domain.ID("order"))
	expired, _ := root.issue(t, -time.Minute, domain.ID("inventory"))
	for _, files := range [][3]string{other, expired, {other[0], expired[1], other[2]}} {
		_, err := LoadWorkload("inventory", domain, files[0], files[1], files[2], slog.New(slog.DiscardHandler))
		if err == nil {
			t.Errorf("%v was loaded", files)
		}
	}
}

func TestARenewedCertificateIsTakenAndAHalfWrittenOneIsNot(t *testing.T) {
	root := newAuthority(t)
	files, _ := root.issue(t, time.Hour, domain.ID("inventory"))
	workload := load(t, "inventory", files)
	before := workload.NotAfter()
	told := 0
	workload.OnRenewal(func() { told++ })

	next, _ := root.issue(t, 2*time.Hour, domain.ID("inventory"))
	copyFile(t, next[0], files[0]) // the key is still the old one
	if err := workload.reload(); err == nil || !workload.NotAfter().Equal(before) {
		t.Errorf("half written: %v, %v", err, workload.NotAfter())
	}
	copyFile(t, next[1], files[1])
	if err := workload.reload(); err != nil || !workload.NotAfter().After(before) || told != 1 {
		t.Errorf("renewed: %v, %v, told %d times", err, workload.NotAfter(), told)
	}
}

func TestAClientTalksToTheServerItMeansAndToNoOther(t *testing.T) {
	root := newAuthority(t)
	inventory, _ := root.issue(t, time.Hour, domain.ID("inventory"))
	order, _ := root.issue(t, time.Hour, domain.ID("order"))
	server, client := load(t, "inventory", inventory), load(t, "order", order)
	for callee, ok := range map[string]bool{"inventory": true, "payment": false} {
		listener, err := tls.Listen("tcp", "127.0.0.1:0", server.ServerTLS())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if conn, err := listener.Accept(); err == nil {
				conn.(*tls.Conn).Handshake()
			}
		}()
		conn, err := tls.Dial("tcp", listener.Addr().String(), client.ClientTLS(callee))
		if (err == nil) != ok {
			t.Errorf("to %s: %v", callee, err)
		}
		if conn != nil {
			conn.Close()
		}
		listener.Close()
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
