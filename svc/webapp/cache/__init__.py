"""What is read far more often than it changes, kept in memcached in front of MySQL. Losing all of it only costs time.

Owns: copies (`policy` has the table of what and for how long), and what is true of them. Forgets: everything, whenever
a node does. Bounds: each node a deadline (50 ms) and what may be in flight; a read waits at most 50 ms for another's
load; what is told to other webapps, 100 ms a write; values of 512 KiB; refreshes in the background.

| where | what |
|---|---|
| policy.py, keys.py | pure: classes of values; their keys, and which of them a write makes wrong |
| lookups.py, values.py, codec.py | the reads of the domain; values of more than one row; bytes |
| cache.py, reading.py, flights.py | read through, forget; what one read does; reads of one process shared |
| relay.py | what a node did not confirm to have deleted, told to the other webapps |
| routes/, pools/, memcached/ | where a key lives; which nodes there are; one node |
| process.py | all of it put together |

What is promised
    Whoever comes after a write was acknowledged sees it, or something newer, through whichever webapp he comes. Of the
    steps of this, each is done before the next begins:
    1. commit; 2. delete on every node where a read may find the key (a delete voids leases, so no load that began
    before it is stored after it); 3. what a node did not confirm, tell the other webapps, which read from it no more
    before it is deleted there; 4. publish the events, carry out the effects (2 and 3 for what those change);
    5. acknowledge.
    And nobody takes the result of a read that began before he came: a key that is being read is waited for, and then
    asked for anew (`flights`). So a value that is found after 5 was loaded after 1.

What is stale, for how long at worst, and why
    nothing else fails                  not at all
    a webapp dies between 1 and 3       2 s: what it committed lies in the outbox until it is published, and whoever
                                        sweeps it forgets first (`keys.behind_event`, `keys.behind_effect`). Nobody was
                                        told that the write is done.
    a node is cut off from the writer,  until that webapp is reached (told again each 250 ms), or the writer reaches
    and a webapp that reads from it     the node (within 1 s of its coming back); when the writer's webapp dies before
    does not hear either within 100 ms  either, `ttl_s` of the class
    a webapp starts at that moment and  the same
    is not in anybody's view yet
    Consul is not heard by one webapp   that one may delete in the wrong places: `ttl_s` of the class
    while nodes change (`pools`)
    rows changed behind our back        `ttl_s` of the class: `parley seed` adds whole workspaces, hands on MySQL
    classes with `stale_s`              after a write and while no load succeeds: `stale_s` after the newest write
    What sessions follow is not subject to any of this: it is checked against the head of the user's own channel, which
    is read from the database (`Lookups.followed`); a session that began without a channel would never hear of it.

The rules for whoever adds another
    1. A class in `policy.CLASSES`, with a bound that you could defend for a wrong answer; a key in `keys`; a method of
       `Lookups`. A new form of a value gets a new prefix: old and new processes run side by side during a restart.
    2. The value is a function of rows of the truth, read from the primary, after the lease was won, and nothing else.
    3. Whoever writes one of the rows names the key in the same place. For what a transaction of the log changes that is
       `keys.changed_by`, and a second time `behind_event` or `behind_effect`: the write must leave one of the two. For
       what an effect changes: after it is done, before it is told (`effects`). For anything else: right after the
       statement (`accounts`).
    4. `stale_s` only for what users do not change themselves. Who adds a method with which they do, sets it to 0.
    5. Fill through `get_or_load` or `get_or_load_many` alone. Callers share what they get: nobody changes it.
    6. Nothing may depend on a hit, and nothing that must be right depends on the cache alone: a post is checked by its
       own transaction (`if_member`).
"""
