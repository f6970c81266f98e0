-- Where a workspace's picture is, '' for none, and which write said so: a lower one never replaces a higher one.
ALTER TABLE teams
    ADD COLUMN icon_url VARCHAR(1000) NOT NULL DEFAULT '',
    ADD COLUMN icon_revision_us BIGINT NOT NULL DEFAULT 0;
