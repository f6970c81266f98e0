-- Conversations to which a group's users may be added besides those that come with it, as a JSON list; and whether the
-- group's conversations are a section of its users' sidebars.
ALTER TABLE user_groups
    ADD COLUMN additional_channel_ids TEXT NOT NULL DEFAULT ('[]'),
    ADD COLUMN is_section TINYINT NOT NULL DEFAULT 0;
