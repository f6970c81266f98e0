-- Where the person who consented lets the app's webhook post; '' where a code makes none.
ALTER TABLE app_codes ADD COLUMN channel_id VARCHAR(11) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';
