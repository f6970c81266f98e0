"""Search: which messages a question is about. Webapp's code in its own process (`python -m svc.webapp.search.main`).

Owns: an index of all messages, in its folder (PARLEY_SEARCH_DIR, a folder for each instance). It is made of what MySQL
has and of nothing else, so it owns no truth: lost with its disk, it is built again while it serves. Forgets: nothing
that is committed to the index; what was not yet is read again from the log, from where the last commit had come to
(`state`, kept within the commit). A message is known by conversation and ts, and read from its row whenever an event
says that something became of it: to be told twice, late or in another order changes nothing.

Bounds: a page of the log at a time, a page of rows at a time in a build, THREADS searches at once, 100 hits an answer,
300 candidates ranked by the second stage, two indexes on the disk while one is rebuilt. Within 2 s of its commit a
message is found (`parley_search_lag_seconds`); the index commits twice a second while there is something to commit.

Where it runs, and how it is found: any number of instances, each with an index of everything; tier `search` in Consul
(`parley-search`), asked by webapps through `search_tier`, the own zone first. Nobody else asks it, and it alone beside
webapps reads MySQL, with webapp's own store. What it answers are places: webapp reads what stands there, and whether
the asker may see it, from the rows before it shows anything, so an index that is behind tells nobody what is not his.

When it is down: search.messages and search.all answer 503 `service_unavailable`, as when MySQL is away; nothing else
notices. When the disk is full it says so (`GetIndexInfo.trouble`, its log, `parley_search_troubles`), goes on answering
from what it has, and tries again every few seconds. A new instance registers at once and answers from what it has got
of its first build; only an index with nothing in it refuses.

| where | what |
|---|---|
| words.py, documents.py | pure: text to words, rows to documents |
| questions.py, ranking.py | pure: what is asked, and the second stage |
| answering.py | a question to its page of hits, in a thread |
| index.py, tantivy_index.py, memory_index.py | what an index is; on the disk, and its twin for tests |
| generations.py | the index that answers and the one that is being built |
| feeder.py, seen.py, changes.py | from the log, and from the rows, into the index |
| wire.py, servicer.py, metrics.py, config.py, main.py | the process |
"""
