"""The truth: three keyspaces in MySQL, each with its own DSN and sharding key, so that each can grow alone.

`workspace` (by team_id): teams, users, bots, the directory of conversations. `channel` (by channel_id): conversations,
members, messages, heads, the log, the outbox. `user` (by user_id): memberships of a user, tokens. Membership is held in
both `channel` and `user` form, so neither direction needs a scatter; svc.webapp.commit.effects carries a change across.

Every statement on a hot path names the shards that it goes to, by the sharding key of its keyspace: `query` marks each
method, and a test looks at every statement as it is sent. Past one server a keyspace's DSN points at Vitess, see
ops/vitess. Reads are here; what changes a channel goes through svc.webapp.commit, which alone writes its tables.

Where a keyspace's primary and replicas are may change while we run: `topology` has the rules, `follow` the news. What
is settled may be read from a replica that keeps up (`lag`); `query` has the rule. A statement is tried again only when
it is a read, or a commit that its request id makes repeatable; every one has a deadline, here and on the server.
"""
