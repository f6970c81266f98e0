"""Benchmarks, one module each: `measure(say) -> dict` does the work, `say(text)` tells a waiting person how far it is.

Run them with `parley bench NAME`; ops/cli/bench.py has the table. Rounds of what is compared are interleaved and
medians reported, because machines are shared and noisy; each module's docstring begins with an estimate on paper.
"""
