-- The workspace keyspace, sharded by team_id: every primary key but that of teams begins with it, so that a shard holds
-- all of a workspace. Ids are ASCII and compared byte by byte; no column is NULL unless it says why.

CREATE TABLE teams (
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(255) NOT NULL,
    domain VARCHAR(64) NOT NULL,
    created_s BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY domain (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE users (
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(80) NOT NULL,
    real_name VARCHAR(255) NOT NULL,
    display_name VARCHAR(255) NOT NULL,
    email VARCHAR(254) NOT NULL,
    -- NULL when there is no address: a unique key takes any number of these.
    email_key VARCHAR(254) AS (NULLIF(email, '')) STORED,
    title VARCHAR(255) NOT NULL,
    status_text VARCHAR(100) NOT NULL,
    status_emoji VARCHAR(100) NOT NULL,
    tz VARCHAR(64) NOT NULL,
    avatar_hash VARCHAR(64) NOT NULL,
    bot_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    app_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    is_bot TINYINT NOT NULL,
    is_admin TINYINT NOT NULL,
    is_owner TINYINT NOT NULL,
    deleted TINYINT NOT NULL,
    created_s BIGINT NOT NULL,
    updated_s BIGINT NOT NULL,
    version BIGINT NOT NULL,
    revision_us BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    UNIQUE KEY name (team_id, name),
    UNIQUE KEY email (team_id, email_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE bots (
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    app_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(80) NOT NULL,
    deleted TINYINT NOT NULL,
    updated_s BIGINT NOT NULL,
    PRIMARY KEY (team_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Copies of the public and private conversations whose truth is in the channel keyspace.
CREATE TABLE conversations (
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind TINYINT NOT NULL,
    name VARCHAR(255) NOT NULL,
    creator_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_s BIGINT NOT NULL,
    topic VARCHAR(250) NOT NULL,
    topic_by CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    topic_set_s BIGINT NOT NULL,
    purpose VARCHAR(250) NOT NULL,
    purpose_by CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    purpose_set_s BIGINT NOT NULL,
    is_archived TINYINT NOT NULL,
    is_general TINYINT NOT NULL,
    version BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    revision_us BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    KEY general (team_id, is_general)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who has which name. A name is taken before its conversation is made, and confirmed by the conversation.
CREATE TABLE names (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(80) NOT NULL,
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reserved_s BIGINT NOT NULL,
    confirmed TINYINT NOT NULL,
    PRIMARY KEY (team_id, name),
    KEY channel (team_id, channel_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
