"""Lazy queries over a socket: users, channels, members and emoji, asked for when a client is about to show them.

Owns and forgets nothing but the queries under way. Bounds: queries a second and under way for each connection, queries
under way in all, seconds that the edge has for one.

`queries` is pure and reads what a frame asks; `lazy` asks the edge and answers.
"""
