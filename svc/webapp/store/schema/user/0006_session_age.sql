-- By which the sessions of browsers that ended long ago are found.
ALTER TABLE tokens ADD INDEX age (kind, expires_s);
