-- The audit log as a chain. A sequencer numbers the entries of an account and hashes each together with the one before.

-- What an entry tells beyond its columns, as words.
ALTER TABLE audit_events ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_events ADD COLUMN seq INTEGER;
ALTER TABLE audit_events ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX audit_events_by_seq ON audit_events (account_id, seq);
CREATE INDEX audit_events_to_chain ON audit_events (account_id, event_id) WHERE seq IS NULL;
-- The history of one principal: what he did, and what was done to him.
CREATE INDEX audit_events_by_actor ON audit_events (account_id, actor_id, event_id) WHERE actor_id <> '';
-- On whom something was done, by id: names change hands. The entry itself tells the name of that time.
CREATE TABLE audit_subjects (
    account_id   TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    PRIMARY KEY (account_id, principal_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_subjects_by_event ON audit_subjects (account_id, event_id);

-- The head of each chain. Only who holds the keys can make the proof of it.
CREATE TABLE audit_chains (
    account_id TEXT    NOT NULL PRIMARY KEY,
    seq        INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    -- Up to here a checkpoint covers it, and when that was signed.
    signed_seq INTEGER NOT NULL,
    signed_at  INTEGER NOT NULL,
    proof      BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_chains_to_sign ON audit_chains (account_id) WHERE seq > signed_seq;

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
