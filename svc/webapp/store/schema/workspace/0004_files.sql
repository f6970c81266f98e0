-- Files of a workspace: what is said of them. Their bytes lie in the file storage, by team and id. One that was deleted
-- stays as a row, so that an older write that comes late cannot bring it back, and whoever asks is told.
CREATE TABLE files (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    state TINYINT NOT NULL,
    name VARCHAR(255) NOT NULL,
    title VARCHAR(255) NOT NULL,
    filetype VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    size BIGINT NOT NULL,
    created_s BIGINT NOT NULL,
    extra MEDIUMTEXT NOT NULL,
    revision_us BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    KEY bytes_used (team_id, state, size),
    KEY unfinished (state, created_s)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who sees a file: its owner (channel_id is the user's, ts_us is 0), and the conversations in which it was posted. What
-- lists are filtered and ordered by is copied here, so that a list is one scan of one index.
CREATE TABLE file_shares (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    file_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ts_us BIGINT NOT NULL,
    kind TINYINT NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    family VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_s BIGINT NOT NULL,
    PRIMARY KEY (team_id, file_id, channel_id, ts_us),
    KEY seen_in (team_id, channel_id, created_s, file_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
