"""Admin: the stateless router between webapps and channel servers, and the one tier that retries a publish.

Owns: nothing. It knows the ring of channel servers, and keeps a line to each of them.
Forgets: what is under way when it dies; the webapps' outboxes hold every event until it is answered here.
Bounds: events and bytes under way (then webapps' streams are not read), batches unanswered at each channel server and
for each webapp, the time for which an event is offered, the share of retries at overloaded owners: all in `config`.

| file | what |
|---|---|
| orders.py | pure: a webapp's batch, its events, the lane to a channel server |
| router.py | pure: who gets what, when to try again, what a new ring moves |
| recent.py | pure: what owners took just before, to be offered again where a channel moves |
| links.py | the lines to the channel servers |
| servicer.py | the lines from the webapps |
| config.py, metrics.py, main.py | settings, numbers, start and stop |
"""
