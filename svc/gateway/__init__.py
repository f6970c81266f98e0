"""The gateway: terminates WebSockets, and pushes each event to the connections that follow its channel.

Owns: connections, their sessions, which channels each follows and from which offset; the interest of its clients in the
presence of others; for clients that load lazily, which users each has met.
Forgets: all of it with the process. Clients come back to another gateway, which reads what they follow from webapp.
Bounds: connections, and how fast new ones come; frames, posts and interests a connection; bytes waiting to be written
to one (a slow consumer is closed with a code that says to come back); sessions being opened at once; events held while
a hole is filled; queries to the edge, for each connection and in all; bytes of users kept to be sent before messages.

| file | what |
|---|---|
| session.py, answers.py, frames.py, close_codes.py | pure: what clients' frames mean, how ours look |
| tickets.py, admission.py, resume.py | pure: who may come in, how fast, and where a session begins |
| hub.py, followed.py, members.py | pure: channels and their connections |
| crowd.py | pure: members of a channel and channels of a member, in little memory |
| websocket/ | the upgrade, and clients' frames |
| sockets.py, writing.py, fanout/, door.py, keepalive.py | connections: reading, joined writes; the door; pings |
| recent.py | pure: events that passed through here a moment ago |
| openings.py, catching_up.py, posts.py, webapp.py | webapp on behalf of sessions |
| edge.py, lazy/, prefetch/ | the edge on their behalf: what clients ask, and users sent before messages |
| presence/ | who is here, who does nothing, who looks at whom; the lines to the presence servers |
| servicer.py, drain.py, config.py, metrics.py, main.py | the operators' face, leaving, and the composition root |
"""
