"""Which nodes a pool has, and who decides it: the job of Slack's Mcrib.

Every webapp follows a table in Consul's KV (`parley/cache/pools/<pool>`); one of them, the keeper, writes it. Without a
table, as without a keeper, what Consul lists is the pool.

Owns: the tables, the orders given by `parley cache`, the pace of replacements.
Forgets: hit rates and how long a node has been silent, when the keeper changes; the next one looks for itself.
Bounds: 8 pools of 64 seats, one planned change of a pool at a time (beside a quarter of its seats that warm up), one
probe a node each second.

What it promises:
- Who reads a key from a node is sure that every deletion of the last 2 s and more reached it (see `table`).
- A pool loses the content of one seat at most before its hit rate is back, unless nodes died by themselves. A node that
  left Consul and still answers has not died.
- Consul gone changes nothing. Consul empty changes nothing. Two keepers at once change what one would have.
- A node is emptied before it takes a seat: what it held from an earlier time never comes to light.

| file | what |
|---|---|
| table.py | pure: the seats of a pool, and the steps of a change |
| placement.py | pure: where a key lives, and who must hear of its deletion |
| control.py, steps.py | pure: what is to be done now; how a change under way goes on |
| rates.py, orders.py, status.py | pure: hit rates of the last 10 s; what people may order; what people are shown |
| stats.py | asking a node how it is, and emptying it |
| follow.py | a webapp's view of a pool: tables to routes |
| keeper.py | the shell around control: one leader by a Consul session, what it reads and writes |
"""
