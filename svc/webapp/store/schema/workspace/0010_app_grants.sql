-- What the token of a person may that a code is changed for; '' where there is to be none.
ALTER TABLE app_codes ADD COLUMN user_scopes VARCHAR(1000) NOT NULL DEFAULT '';

-- Who has given an app tokens of their own: so that these are found when the app goes. A row stays when they are revoked.
CREATE TABLE app_grants (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    app_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    given_s BIGINT NOT NULL,
    PRIMARY KEY (team_id, app_id, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
