-- The audit log as a chain. A sequencer numbers the entries of an account and hashes each together with the one before.

-- What an entry tells beyond its columns, as words.
ALTER TABLE audit_events ADD COLUMN details TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit_events ADD COLUMN seq BIGINT;
ALTER TABLE audit_events ADD COLUMN hash BYTEA;
CREATE UNIQUE INDEX audit_events_by_seq ON audit_events (account_id, seq);
CREATE INDEX audit_events_to_chain ON audit_events (account_id, event_id) WHERE seq IS NULL;

-- The signed heads of the chains.
CREATE TABLE audit_checkpoints (
    account_id  TEXT COLLATE "C"    NOT NULL,
    seq         BIGINT NOT NULL,
    kind        TEXT COLLATE "C"    NOT NULL,
    hash        BYTEA    NOT NULL,
    at          BIGINT NOT NULL,
    key_version BIGINT NOT NULL,
    signature   BYTEA    NOT NULL,
    PRIMARY KEY (account_id, seq, kind)
);
