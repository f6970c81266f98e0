-- The channel keyspace, sharded by channel_id: every primary key begins with it (conversations: it is the id). No
-- auto-increments, so that a shard needs no sequence. A channel is any routed id: C…, D…, G…, and T…, U… for their logs.

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
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The last place given in each channel; its row is the lock under which the next ones are given.
CREATE TABLE heads (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    last_offset BIGINT NOT NULL,
    last_ts_us BIGINT NOT NULL,
    PRIMARY KEY (channel_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Every persisted event, as it was sent: a serialised parley.event.v1.Event.
CREATE TABLE log (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `offset` BIGINT NOT NULL,
    commit_us BIGINT NOT NULL,
    event MEDIUMBLOB NOT NULL,
    PRIMARY KEY (channel_id, `offset`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE messages (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ts_us BIGINT NOT NULL,
    `offset` BIGINT NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    bot_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subtype VARCHAR(32) NOT NULL,
    text MEDIUMTEXT NOT NULL,
    thread_ts_us BIGINT NOT NULL,
    reply_broadcast TINYINT NOT NULL,
    client_msg_id VARCHAR(255) NOT NULL,
    extra MEDIUMBLOB NOT NULL,
    -- What history pages through: all but replies that were not broadcast.
    in_history TINYINT AS (thread_ts_us = 0 OR reply_broadcast <> 0) STORED,
    PRIMARY KEY (channel_id, ts_us),
    KEY history (channel_id, in_history, ts_us),
    KEY thread (channel_id, thread_ts_us, ts_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Parents of replies.
CREATE TABLE threads (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ts_us BIGINT NOT NULL,
    reply_count BIGINT NOT NULL,
    latest_reply_us BIGINT NOT NULL,
    PRIMARY KEY (channel_id, ts_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE members (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    joined_us BIGINT NOT NULL,
    PRIMARY KEY (channel_id, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Idempotency keys already used, and what the first write with each got: drafts_count places from first_offset on.
CREATE TABLE requests (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    request_id VARBINARY(200) NOT NULL,
    first_offset BIGINT NOT NULL,
    drafts_count INT NOT NULL,
    ts_us BIGINT NOT NULL,
    PRIMARY KEY (channel_id, request_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Events that were committed and not yet taken by their channel's owner. Offered again when due.
CREATE TABLE outbox (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `offset` BIGINT NOT NULL,
    due_us BIGINT NOT NULL,
    PRIMARY KEY (channel_id, `offset`),
    KEY due (due_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Steps of a write in other keyspaces that are not yet done. Carried out again when due.
CREATE TABLE effects (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ts_us BIGINT NOT NULL,
    number INT NOT NULL,
    first_offset BIGINT NOT NULL,
    due_us BIGINT NOT NULL,
    effect MEDIUMBLOB NOT NULL,
    PRIMARY KEY (channel_id, ts_us, number),
    KEY due (due_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
