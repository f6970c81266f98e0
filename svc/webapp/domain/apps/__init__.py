"""Apps: programs that speak through a bot of their own, hear of events, and are spoken to by commands and buttons.

An app belongs to one workspace. Its row is in the workspace keyspace, its bot is a user like others, and its tokens lie
under that user. What an app hears is delivered by `svc.webapp.apps`; here are the rules: how apps are made and changed
(`making`), who they are (`model`, `directory`), what they are told by people (`commands`, `actions`, `views`), and how
they answer (`responses`, `webhooks`).
"""
