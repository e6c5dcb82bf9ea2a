"""
The runtime of services in Python: what mesh/runtime is to those in TypeScript. See ../README.md.

Not called "weft": that is the package of the contracts weft.events, weft.mesh and weft.policy (gen/python).
"""
