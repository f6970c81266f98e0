"""The truth: three keyspaces in MySQL, each with its own DSN and sharding key, so that each can grow alone.

`workspace` (by team_id): teams, users, bots, the directory of conversations. `channel` (by channel_id): conversations,
members, messages, heads, the log, the outbox. `user` (by user_id): memberships of a user, tokens. Membership is held in
both `channel` and `user` form, so neither direction needs a scatter; svc.webapp.effects carries a change across.

Every statement on a hot path carries the sharding key of its keyspace and touches one shard: `query` marks each method
with both. Past one server a keyspace's DSN points at Vitess. Reads are here; what changes a channel goes through
svc.webapp.committer, which alone writes its tables.
"""
