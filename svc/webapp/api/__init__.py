"""The Web API, Slack's by form: `api/METHOD`, one file a family, each method declared with its arguments.

Owns: nothing. A method reads its arguments, calls the rules in svc.webapp.domain, and shapes the answer; `dispatch`
does what all of them share (arguments, token, errors), `registry` lists them. None of it knows HTTP: svc.webapp.http
does. Bounds: a page has at most 1,000 entries, a body PARLEY_WEBAPP_HTTP_BODY_BYTES_MAX, a request
PARLEY_WEBAPP_HTTP_REQUEST_S.
"""
