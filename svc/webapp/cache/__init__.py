"""What is read far more often than it changes, kept in memcached in front of MySQL. Losing all of it only costs time.

Held: a token's record, a (channel, user) membership, a conversation, a user (`lookups`). memcached nodes are found in
Consul (service parley-memcached, tag pool:main); a key lives on one of them by rendezvous hashing.

The rules for whoever adds another:

1. The value is a function of one row of the truth, and whoever writes that row names the key in the same place, after
   the commit: `await cache.invalidate(key)`. For what goes through the log, `lookups.keys_changed_by` is that place.
2. Fill only through `get_or_load`. Its lease decides races: a load that began before an invalidation must not store
   its value after it, and does not, because the invalidation voids the lease.
3. Choose a TTL that you could defend for a wrong answer: an invalidation is lost when its node cannot be reached. At
   most 60 s for what guards access, and absence (None) is kept for NEGATIVE_TTL_S only.
4. A new form of a value gets a new key prefix: old and new processes run side by side during a restart.
5. Nothing may depend on a hit. A dead node is a miss, within its deadline (50 ms), never an error.
"""
