-- ts of the newest message that readers of a conversation have to read; 0 when there is none. Known here, beside the head,
-- because whoever asks how far a conversation has come asks for both. Notices of who came and went are nothing to read.
ALTER TABLE heads ADD COLUMN last_message_us BIGINT NOT NULL DEFAULT 0;

UPDATE heads SET last_message_us = COALESCE((
    SELECT messages.ts_us FROM messages
    WHERE messages.channel_id = heads.channel_id AND messages.in_history = 1
        AND messages.subtype NOT IN ('channel_join', 'channel_leave', 'group_join', 'group_leave')
    ORDER BY messages.ts_us DESC LIMIT 1
), 0);
