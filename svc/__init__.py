"""The six tiers of Parley, each a gRPC service with the same three doors, and the kit that they share."""
