"""A memcached node as the webapp sees it: a leaf of the route tree, over one pipelined connection.

wire        the meta protocol, pure
health      when a node counts as dead, and when it is probed, pure
backlog     deletions that did not get through, pure
connection  batches in order, one write a turn of the loop, deadlines
reads, commands, lease, sums   what is asked and told, and what becomes of the answers
node        all of it together; keeps the connection up

Forgets with the process: deletions that a node has not confirmed (they are told to other webapps, see `relay`).
Source: memcached's doc/protocol.txt, "Meta Commands".
"""
