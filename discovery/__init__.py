"""Discovery: how every instance is found, and finds the others. The library that all tiers share.

Owns: this process's registration in Consul, its view of the watched tiers, the rings made from them, its stubs.
Forgets: everything on exit; Consul is the only memory, and the last good view stands in for it while it is away.
Bounds: one blocking query a watched tier or key, one gRPC channel an instance in view (and one lifeline where they are
held), one snapshot a tier, one ring a tier and zone asked for, 1,024 cached ring columns of 64 KiB, retries 10 % of
calls.

Start at `front.Discovery`; a tier needs little else:

    async with Discovery(config.instance, clock) as disco:
        webapps = await disco.watch("webapp")            # ServiceWatcher: .snapshot, .ready(), .changes()
        ring = await disco.ring("channel")               # RingWatcher: .ring, .owner(key), .fingerprint, .changes()
        edges = await disco.ring("edge", zone="az1")     # the same of one zone's members
        routes = await disco.kv("parley/cache/routes")   # KvWatcher: .entry (.value, .index), .ready(), .changes()
        answer = await disco.pools.call("webapp", WebappServiceStub, lambda stub: stub.ReadLog, request, timeout_s=2)
        async with disco.registered("gateway", instance_id, server, {"version": "0.1.0"}) as mine:
            await terminated()                           # leaving deregisters first

| file | what |
|---|---|
| ring.py, lanes.py | pure: slots, owners, moves; the arithmetic that makes them fast |
| view.py | pure: what to believe of Consul's answers |
| balancer.py, fence.py | pure: choosing an instance; how long since Consul confirmed us |
| consul.py | the client: registrations, KV, Consul sessions |
| query.py, health.py, kv.py | queries that block: who is healthy; the newest value of a key, followed |
| registrar.py | register, register again, deregister |
| watcher.py, ring_watcher.py, latest.py | blocking queries to snapshots, to rings; following the newest of something |
| probe.py, lifelines.py | asking instances themselves; being connected to them, and so told at once that one has died |
| stubs.py | stub pools: the only file that sees a gRPC channel |
| front.py | all of it, in three lines |
"""
