"""The channel server: pub/sub in memory, one owner for each channel by the ring.

Owns: for the channels of its slots, who follows them (attached gateways and edges), the head and the recent tail of
each channel that was published to, and the acknowledgements that publishes wait for.
Forgets: everything when it dies. Publishes that were not acknowledged are retried by admin at the next owner,
subscribers come there with the offsets that they have, and what neither tail holds is in the database's log.
Bounds: events and bytes of a tail and of all tails, channels with a tail, channels known, early events held and for how
long, mailboxes, unacknowledged batches, attachments, subscriptions, publishers, batches and bytes of publishes under
way: all in `config`. At a limit a publish is refused, a transient event dropped, a tail forgotten,
a slow subscriber cut off.

| file | what |
|---|---|
| channel.py | pure: one channel: offsets, tail, early events, duplicates |
| ownership.py | pure: which slots are ours, since when, and whether that may still be believed (the fence) |
| states.py | pure: the channels published to: busy with a tail, or at rest in their rows |
| rows | who follows each channel, and the runs of those at rest: 55 bytes a channel, in C or in Python |
| audience.py | pure: who is attached, who follows what, how events get there |
| rechecks.py | pure: subscriptions that may have missed something while their slot was elsewhere |
| fanout.py | pure: a subscriber's mailbox, cumulative acknowledgements, the publishes that wait for them |
| table.py | pure: all of it together; the only writer |
| wire.py | events encoded once; the contract's limits |
| publishing.py, servicer.py | the streams |
| config.py, counts.py, metrics.py, main.py | settings, numbers, start and stop |
"""
