-- The user keyspace, sharded by user_id: every primary key begins with it.

CREATE TABLE memberships (
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind TINYINT NOT NULL,
    peer_user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    joined_us BIGINT NOT NULL,
    last_read_us BIGINT NOT NULL,
    from_offset BIGINT NOT NULL,
    revision_us BIGINT NOT NULL,
    active TINYINT NOT NULL,
    PRIMARY KEY (user_id, channel_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE tokens (
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    token_hash BINARY(32) NOT NULL,
    kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    bot_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    app_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scopes VARCHAR(1000) NOT NULL,
    created_s BIGINT NOT NULL,
    revoked_s BIGINT NOT NULL,
    PRIMARY KEY (user_id, token_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
