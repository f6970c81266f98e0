"""Previews of links: what pages that messages point to are about, fetched behind the post and added by an edit.

Owns: a line of messages that wait to be looked at, what was found at addresses a short while ago, and how often each
host was asked. Nothing of it outlives the process: a webapp that ends loses the previews that it had not made yet, and
nobody makes them later. What was made is a change of the message like any other, durable and in the log.

A post pays for nothing but the question whether there is an address in it (`offers.py`). The rules are pure: which
addresses of a message count (`links.py`), where a fetch may go (`addresses.py`), what a page says of itself
(`pages.py`, `charsets.py`), and what of that is shown (`previews.py`). Around them `fetching.py` has the sockets,
`lookups.py` the names, `shelf.py` (pure) what is known, `running.py` the line.

**Whoever can write a message chooses what is fetched**, so a fetch goes to addresses of the public internet alone (and
to networks that the operator named), on a few ports. Names are looked up here, each address of an answer is checked,
and the one that is connected to is checked again when its socket is made: at every hop of a redirect, however the host
was written, whatever a name says the next time that it is asked. No cookies, no credentials, no proxy, no certificate
that is not good; nothing of an answer is read but its head and 512 KiB, packed or not.

Bounds: 5 links of a message; 3 redirects, 5 s and 512 KiB for each; 16 fetches at a time, 2 to one host, and of one
host 20 at once and then one a second. 1,000 messages wait, and those beyond are not looked at
(`parley_previews_messages_total` with `dropped`). 1,000 addresses are remembered: found ones for half an hour, others
for five minutes.
"""
