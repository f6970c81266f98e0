"""Route handles: small objects that each know one thing about where a key lives, composed into a tree by configuration.

A handle takes keys and asks its children; the leaves are nodes. What Mcrouter does as a proxy is done here inside the
webapp: one hop less, and the lease of a miss stays with whoever loads. Source: Likhtarov et al., "Introducing mcrouter"
(2014); Nishtala et al., "Scaling Memcache at Facebook" (NSDI 2013).
"""
