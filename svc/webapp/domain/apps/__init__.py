"""Apps: programs that speak through a bot of their own, hear of events, and are spoken to by commands and buttons.

An app belongs to one workspace. Its row is in the workspace keyspace, its bot is a user like others, and its tokens lie
under that user, or under the people who gave it one of their own. What an app hears is delivered by `svc.webapp.apps`;
here are the rules: how apps are made and changed (`making`), how they get tokens (`installing`, `tokens`, `redirects`),
who they are (`model`, `directory`), what they are told by people (`commands`, `actions`, `views`), and how they answer
(`responses`, `webhooks`).
"""
