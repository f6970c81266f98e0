-- Messages that are meant for a user: that name it, or in a direct conversation. Those above its read mark are counted, so
-- that a mark may move back as well as on; retention takes the old ones.
CREATE TABLE mentions (
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ts_us BIGINT NOT NULL,
    PRIMARY KEY (user_id, channel_id, ts_us),
    KEY age (ts_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What a user chose. A user without a row chose nothing. revision counts the changes.
CREATE TABLE prefs (
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    prefs MEDIUMBLOB NOT NULL,
    away TINYINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
