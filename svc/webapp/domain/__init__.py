"""The rules of the workspace: who may do what, and what becomes true when they do. Knows neither HTTP nor gRPC.

Owns: nothing; it reads through svc.webapp.store, and changes through svc.webapp.commit (each request is one write with
its events). The Web API and the gRPC servicer both stand on it, so a message posted over a socket obeys the same
rules. Says no by raising Refused with the Web API's code, and passes on UnavailableError when MySQL does not answer:
an outage is never told as a refusal. What another workspace has does not exist: channel_not_found, user_not_found.
"""
