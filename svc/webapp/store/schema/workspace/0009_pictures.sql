-- Where a user's own picture is; '' for one that has none, whose picture is made from avatar_hash.
ALTER TABLE users ADD COLUMN picture_url VARCHAR(1000) NOT NULL DEFAULT '';
