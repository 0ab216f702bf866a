-- The audit log as a chain. A sequencer numbers the entries of an account and hashes each together with the one before.

-- What an entry tells beyond its columns, as words.
ALTER TABLE audit_events ADD COLUMN details TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit_events ADD COLUMN seq BIGINT;
ALTER TABLE audit_events ADD COLUMN hash BYTEA;
CREATE UNIQUE INDEX audit_events_by_seq ON audit_events (account_id, seq);
CREATE INDEX audit_events_to_chain ON audit_events (account_id, event_id) WHERE seq IS NULL;
-- The history of one principal: what he did, and what was done to him.
CREATE INDEX audit_events_by_actor ON audit_events (account_id, actor_id, event_id) WHERE actor_id <> '';
-- On whom something was done, by id: names change hands. The entry itself tells the name of that time.
CREATE TABLE audit_subjects (
    account_id   TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, principal_id, event_id)
);
CREATE INDEX audit_subjects_by_event ON audit_subjects (account_id, event_id);

-- The head of each chain. Only who holds the keys can make the proof of it.
CREATE TABLE audit_chains (
    account_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    seq        BIGINT           NOT NULL,
    hash       BYTEA            NOT NULL,
    -- Up to here a checkpoint covers it, and when that was signed.
    signed_seq BIGINT           NOT NULL,
    signed_at  BIGINT           NOT NULL,
    proof      BYTEA            NOT NULL
);
CREATE INDEX audit_chains_to_sign ON audit_chains (account_id) WHERE seq > signed_seq;

-- The signed heads of the chains.
CREATE TABLE audit_checkpoints (
    account_id  TEXT COLLATE "C" NOT NULL,
    seq         BIGINT           NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    hash        BYTEA            NOT NULL,
    at          BIGINT           NOT NULL,
    key_version BIGINT           NOT NULL,
    signature   BYTEA            NOT NULL,
    PRIMARY KEY (account_id, seq, kind)
);
