"""What a client is told before anything else: its whole world on one screen, or what has changed since it was here.

Owns: nothing, and forgets what it answered. `answers` has the rules of an answer, pure; `boots` makes slim boots and
deltas, `full` the whole model of old clients; `models` asks the edges first and the rows (`rows`) when none can answer;
`rate` finds how many may boot at once. Bounds: those of an answer in `answers`, and the rate.
"""
