-- Kept by VTGate: which shard has the workspace with a domain, so that a domain stays unique over all shards.
CREATE TABLE team_domains (
    domain VARCHAR(64) NOT NULL,
    keyspace_id VARBINARY(16) NOT NULL,
    PRIMARY KEY (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
