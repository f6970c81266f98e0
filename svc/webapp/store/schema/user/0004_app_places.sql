-- Up to where each app has what it follows, under its bot's user. revision counts the owners: whoever takes the app over adds
-- one, and a save that quotes a lower one changes nothing. place is empty until there is one.
CREATE TABLE app_places (
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    app_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    revision BIGINT NOT NULL,
    owner VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    released TINYINT NOT NULL,
    verified_url VARCHAR(2000) NOT NULL,
    place MEDIUMBLOB NOT NULL,
    PRIMARY KEY (user_id, app_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
