"""Mechanisms that any tier may need; the kit knows nothing about messages.

Owns: configuration, clocks, lifecycles, the gRPC server, the error tree, ids, mailboxes, backoff, token buckets,
client tokens, telemetry, tallies.
Forgets: everything; nothing here keeps state beyond the object that a composition root made.
Bounds: each mechanism states its own, and none is unlimited.
"""
