"""What every test run needs before anything is imported."""

import os

# This process loads gRPC and starts children; gRPC's fork handlers would start its threads in the child, between fork
# and exec, and abort it there. Read when gRPC is imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
