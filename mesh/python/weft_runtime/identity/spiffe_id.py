"""Names of workloads as SPIFFE ids (https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md)."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrustDomain:
    """Within which names are unique."""

    trust_domain: str
    namespace: str

    def spiffe_id(self, name: str) -> str:
        """Id of the workload ``name``, in the form that Istio uses."""
        return f"spiffe://{self.trust_domain}/ns/{self.namespace}/sa/{name}"

    def name_in(self, spiffe_id: str) -> str | None:
        """Name in an id of this domain and namespace; None for every other text. Ids are compared as they are."""
        name = spiffe_id.rpartition("/")[2]
        if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name) and spiffe_id == self.spiffe_id(name):
            return name
        return None
