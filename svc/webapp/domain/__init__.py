"""The rules of the workspace: who may do what, and what becomes true when they do. Knows neither HTTP nor gRPC.

Owns: nothing; it reads through svc.webapp.store, and changes through svc.webapp.commit (each request is one write with
its events). The Web API and the gRPC servicer both stand on it, so a message posted over a socket obeys the same
rules. Says no by raising Refused with the Web API's code, and passes on UnavailableError when MySQL does not answer:
an outage is never told as a refusal. What another workspace has does not exist: channel_not_found, user_not_found.

| room | what |
|---|---|
| people/, conversations/, messages/ | who is there, where things are said, what is said |
| boot/ | what a client is told first |
| files/, apps/, search/ | files; apps, their commands, views and webhooks; questions to the index |
| origin.py, connect.py | how a client reached us, and where it connects its socket |
| shapes.py, emoji.py, slackbot.py, refusal.py, services.py | what all of these use |
"""
