"""A memcached node as the webapp sees it: the meta protocol, connections that pipeline, and when it counts as dead.

Source: memcached's doc/protocol.txt, "Meta Commands".
"""
