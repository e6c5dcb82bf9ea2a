// Package identity proves who calls: workloads by the SPIFFE id in their certificate, users by their access token.
package identity

import (
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Domain is within which names of workloads are unique.
type Domain struct {
	// Trust is such as "weft.local"; Namespace is "default" outside of a cluster.
	Trust, Namespace string
}

// ID is the SPIFFE id of the workload name, in the form that Istio uses.
func (d Domain) ID(name string) string {
	return fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", d.Trust, d.Namespace, name)
}

var workloadName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// nameIn compares ids as they are: a SPIFFE id has no other spelling.
func (d Domain) nameIn(id string) (string, bool) {
	name := id[strings.LastIndex(id, "/")+1:]
	return name, workloadName.MatchString(name) && id == d.ID(name)
}

// NameInCertificate is the name of the workload that a certificate is for, by the rules of SPIFFE's X509-SVID:
// exactly one URI, which is the id; no authority's certificate. The chain is checked elsewhere.
func NameInCertificate(certificate *x509.Certificate, domain Domain) (string, error) {
	if certificate.IsCA {
		return "", errors.New("the certificate is an authority's")
	}
	if len(certificate.URIs) != 1 {
		return "", fmt.Errorf("the certificate has %d URIs in place of one SPIFFE id", len(certificate.URIs))
	}
	id := certificate.URIs[0].String()
	name, ok := domain.nameIn(id)
	if !ok {
		return "", fmt.Errorf("%.200s is no workload of this mesh", id)
	}
	return name, nil
}
