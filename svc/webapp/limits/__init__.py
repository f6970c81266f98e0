"""Rate limits: how often an app may call a method of a workspace, whichever webapps it asks.

tiers    how often methods may be called, and the setting that scales it, pure
buckets  one limit as a number that only grows: what it says of a call, pure
nearby   the numbers as this process knows them, bounded, pure
limiter  asks memcached once a call and limit, and goes by what it says

Owns: nothing. The numbers are in memcached, one a limit, found as any key is (`svc.webapp.cache.routes`); this process
remembers what it last saw of 20,000 of them. It refuses by itself, without asking, whoever it knows to be early, and
goes by its own numbers while a number's node is away: then each webapp allows what all together should.

Forgets: all of it, when a node ends or a seat moves: whoever had used up a limit has it whole again, once. That is why
there is no database behind it: what is protected is the system's time, not a contract.

Clocks of webapps that differ by a second shift a limit's burst by the calls of that second, and no more.
"""
