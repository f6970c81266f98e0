"""The house's own browser client, as far as the server has a part in it: its files, and who is signed in.

static       the built client: pages, scripts and styles out of one folder, with the headers of `headers`
headers      what a browser may do with them, above all the Content-Security-Policy, pure
front        `/web/…` over HTTP: origin, body, cookie in and out, errors
call         one request to an endpoint, and its answer
session      who is signed in, the demo workspace, leaving
signing      names and passwords
joining      invitations
consent      what an app asks a person for
config       settings

Signing in makes a token of a kind of its own, which only a cookie may carry (`svc.webapp.api.credentials`): HttpOnly,
SameSite=Lax, Secure where the client came over TLS. It is a row like any other token's, so it is listed, revoked and
ended as those are, and its sockets close with it. A new one is made at each sign-in, and the one that the browser had
is revoked: nobody can have put a session there beforehand.

Other sites: whatever changes something is a POST, and has to come from a page of ours by the headers that a browser
sets and no page can. No endpoint allows another origin to read anything. Sockets need no such check: they open by a
ticket, good once and for 30 s, which only the answer to a call of our own page holds.

Whoever guesses passwords is slowed down by `svc.webapp.limits`, whose numbers all webapps share, for each login and
each address. Unknown logins and wrong passwords end alike, after the same work.

Owns: nothing. Forgets: everything between requests. Bounds: bodies of 16 KiB, the gate that all requests pass.
"""
