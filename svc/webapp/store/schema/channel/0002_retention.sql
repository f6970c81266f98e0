-- What retention walks: the oldest rows first. Both grow at their end, so keeping these keys costs a commit little.
ALTER TABLE log ADD KEY age (commit_us);
ALTER TABLE requests ADD KEY age (ts_us);
