-- When a token ends by itself: unix seconds, 0 for one that does not.
ALTER TABLE tokens ADD COLUMN expires_s BIGINT NOT NULL DEFAULT 0;
