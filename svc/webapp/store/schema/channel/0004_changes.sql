-- What becomes of messages after they were posted. revision is the offset of the event that told the last change of a
-- message: its own while there was none. Whoever changes one quotes it, so that nobody undoes another's work unseen.
ALTER TABLE messages ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

UPDATE messages SET revision = `offset`;

-- What somebody has put on a message. Reactions (kind 1) are there by name and user; a pin (kind 2) once, without either.
CREATE TABLE annotations (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ts_us BIGINT NOT NULL,
    kind TINYINT NOT NULL,
    name VARCHAR(128) NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    by_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (channel_id, ts_us, kind, name, user_id),
    -- Pins of a channel.
    KEY by_kind (channel_id, kind, at_us),
    -- What somebody has reacted to, wherever.
    KEY by_user (user_id, kind, at_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Small things beside the messages: bookmarks of a conversation; what a user has scheduled or saved, in its own channel.
-- due_us: when something has to become of it; 0 for never.
CREATE TABLE items (
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind TINYINT NOT NULL,
    id VARCHAR(64) NOT NULL,
    due_us BIGINT NOT NULL,
    body MEDIUMBLOB NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (channel_id, kind, id),
    KEY due (due_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
