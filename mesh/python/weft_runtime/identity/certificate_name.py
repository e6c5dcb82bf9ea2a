from cryptography import x509

from weft_runtime.identity.spiffe_id import TrustDomain


class NotIdentified(Exception):
    """A proof does not say who somebody is. The text is for the log alone."""


def name_in_certificate(certificate: x509.Certificate, domain: TrustDomain) -> str:
    """
    Name of the workload that a certificate is for, by the rules of SPIFFE's X509-SVID: exactly one URI, which is the
    id; no authority's certificate. Common names and DNS names say nothing. The chain is checked elsewhere.

    :raises NotIdentified:
    """
    try:
        extensions = certificate.extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except x509.ExtensionNotFound:
        uris = []
    except ValueError as error:
        raise NotIdentified("the certificate's extensions cannot be read") from error
    if _is_authority(extensions):
        raise NotIdentified("the certificate is an authority's")
    if len(uris) != 1:
        raise NotIdentified(f"the certificate has {len(uris)} URIs in place of one SPIFFE id")
    name = domain.name_in(uris[0])
    if name is None:
        raise NotIdentified(f"{uris[0][:200]} is no workload of this mesh")
    return name


def _is_authority(extensions: x509.Extensions) -> bool:
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
