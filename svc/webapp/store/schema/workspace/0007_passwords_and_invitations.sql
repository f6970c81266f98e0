-- What people sign in with. Only Argon2 hashes, as they name themselves their parameters and salt.
CREATE TABLE passwords (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    changed_s BIGINT NOT NULL,
    revision_us BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who was asked to join, each once. user_id is whom somebody is making of it since claimed_s; used_s says that this was
-- done.
CREATE TABLE invitations (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    code_hash BINARY(32) NOT NULL,
    email VARCHAR(254) NOT NULL,
    real_name VARCHAR(255) NOT NULL,
    inviter_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    channel_ids VARCHAR(1300) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_s BIGINT NOT NULL,
    until_s BIGINT NOT NULL,
    revoked_s BIGINT NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    claimed_s BIGINT NOT NULL,
    used_s BIGINT NOT NULL,
    PRIMARY KEY (team_id, code_hash),
    KEY email (team_id, email),
    KEY age (team_id, until_s)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
