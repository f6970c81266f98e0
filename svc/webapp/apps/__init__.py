"""Apps: what they hear of, delivered over their Socket Mode connections or to their request URLs.

An app is a headless session of its bot's user. Each app that listens has one owner among the webapps, by the ring; the
owner follows what the bot's user follows, as a gateway does for a session, and brings what the app subscribed to.

Owns: of each app of its own, the place up to which everything was delivered (durable, at most a second old), what is
under way, and the streams to the app's connections.
Forgets: what was under way when it dies: the next owner goes on from the durable place, so an app may get an event
twice, with the same event_id, and misses none.
Bounds: events under way an app (`Window`), connections an app, HTTP requests at a time, the age of an event (an hour).

`hearing`, `wrapping`, `window`, `outgoing` and `retries` are pure; `pump`, `owner`, `poster` and `calls` are the shell.
"""
