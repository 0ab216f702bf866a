-- The audit log as a chain. A sequencer numbers the entries of an account and hashes each together with the one before.

-- What an entry tells beyond its columns, as words.
ALTER TABLE audit_events ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_events ADD COLUMN seq INTEGER;
ALTER TABLE audit_events ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX audit_events_by_seq ON audit_events (account_id, seq);
CREATE INDEX audit_events_to_chain ON audit_events (account_id, event_id) WHERE seq IS NULL;

-- The signed heads of the chains.
CREATE TABLE audit_checkpoints (
    account_id  TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    hash        BLOB    NOT NULL,
    at          INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    signature   BLOB    NOT NULL,
    PRIMARY KEY (account_id, seq, kind)
) STRICT, WITHOUT ROWID;
