-- Apps of a workspace. One that was removed stays, so that an older write that comes late cannot bring it back.
CREATE TABLE apps (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(80) NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    bot_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    creator_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    secret_hash BINARY(32) NOT NULL,
    signing_secret VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    verification_token VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scopes VARCHAR(1000) NOT NULL,
    settings MEDIUMBLOB NOT NULL,
    deleted TINYINT NOT NULL,
    created_s BIGINT NOT NULL,
    version BIGINT NOT NULL,
    revision_us BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    KEY revision (revision_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Addresses at which anybody who knows one may post into one conversation.
CREATE TABLE webhooks (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    app_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    channel_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(80) NOT NULL,
    token_hash BINARY(32) NOT NULL,
    created_s BIGINT NOT NULL,
    disabled_s BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    KEY app (team_id, app_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Codes that an app's owner changes for tokens, each once.
CREATE TABLE app_codes (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    code_hash BINARY(32) NOT NULL,
    app_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    installer_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scopes VARCHAR(1000) NOT NULL,
    redirect_uri VARCHAR(1000) NOT NULL,
    until_s BIGINT NOT NULL,
    PRIMARY KEY (team_id, code_hash),
    KEY age (team_id, until_s)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- How often a pass was used that is good for a few times: a trigger_id once, a response_url five times.
CREATE TABLE app_passes (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    uses INT NOT NULL,
    until_s BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    KEY age (team_id, until_s)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Modals that a user has open, and what apps show it at home. external_key is NULL when the app gave no id of its own:
-- a unique key takes any number of these.
CREATE TABLE views (
    team_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    app_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    root_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    previous_id CHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    external_id VARCHAR(255) NOT NULL,
    external_key VARCHAR(255) AS (NULLIF(external_id, '')) STORED,
    hash VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    body MEDIUMBLOB NOT NULL,
    until_s BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    UNIQUE KEY external (team_id, app_id, external_key),
    KEY shown (team_id, user_id, app_id),
    KEY age (team_id, until_s)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
