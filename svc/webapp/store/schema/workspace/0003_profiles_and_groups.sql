-- What else a profile says. `fields` is a JSON object by field id, '' for none; status_expiration_s is 0 for a status that
-- stays.
ALTER TABLE users
    ADD COLUMN first_name VARCHAR(255) NOT NULL DEFAULT '',
    ADD COLUMN last_name VARCHAR(255) NOT NULL DEFAULT '',
    ADD COLUMN phone VARCHAR(64) NOT NULL DEFAULT '',
    ADD COLUMN pronouns VARCHAR(64) NOT NULL DEFAULT '',
    ADD COLUMN status_expiration_s BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN fields TEXT NOT NULL DEFAULT (''),
    ADD KEY status_expiration (status_expiration_s);

-- Groups of users that can be named in a message. A handle is taken in `names`, beside those of conversations. user_ids and
-- channel_ids are JSON lists; deleted_s is 0 while the group is enabled.
CREATE TABLE user_groups (
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(255) NOT NULL,
    handle VARCHAR(80) NOT NULL,
    description VARCHAR(250) NOT NULL,
    channel_ids TEXT NOT NULL,
    user_ids MEDIUMTEXT NOT NULL,
    created_s BIGINT NOT NULL,
    created_by CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    updated_s BIGINT NOT NULL,
    updated_by CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    deleted_s BIGINT NOT NULL,
    deleted_by CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    revision_us BIGINT NOT NULL,
    PRIMARY KEY (team_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
