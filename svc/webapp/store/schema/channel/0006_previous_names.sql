-- Names that a conversation had before, the newest first, separated by commas: at most 20 of 80 characters each.
ALTER TABLE conversations ADD COLUMN previous_names VARCHAR(1700) NOT NULL DEFAULT '';
