-- Custom emoji of a workspace. One that was removed stays, with an empty value, so that an older write that comes late
-- cannot bring it back.
CREATE TABLE emoji (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(100) NOT NULL,
    value VARCHAR(1000) NOT NULL,
    version BIGINT NOT NULL,
    revision_us BIGINT NOT NULL,
    PRIMARY KEY (team_id, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
