-- Who wrote the replies of a thread is read from the index of threads alone.
ALTER TABLE messages
    DROP KEY thread,
    ADD KEY thread (channel_id, thread_ts_us, ts_us, user_id);
