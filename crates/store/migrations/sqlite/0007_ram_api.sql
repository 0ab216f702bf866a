-- What the signed RAM protocol keeps besides what the pages know.

-- Nonces of signed calls that must not be taken twice. On PostgreSQL all of them, shared by the nodes; on SQLite, where the
-- server remembers the others itself, those of calls that were signed ahead of its clock.
CREATE TABLE api_nonces (
    nonce_hash BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_nonces_by_end ON api_nonces (expires_at);

-- Virtual MFA devices that exist and are bound to nobody. What a device has spent stays spent while it lies here.
CREATE TABLE unbound_mfa (
    account_id  TEXT    NOT NULL REFERENCES accounts,
    device_id   TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    sealed_seed BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    last_step   INTEGER NOT NULL,
    PRIMARY KEY (account_id, device_id),
    UNIQUE (account_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX virtual_mfa_by_name ON virtual_mfa (account_id, name);

-- A contact number of a RAM user, for people to read.
ALTER TABLE principals ADD COLUMN mobile_phone TEXT;

-- Email addresses and phones by which a RAM user is to prove himself. One is pending until he has shown that it is his.
CREATE TABLE verification_contacts (
    account_id   TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    value        TEXT    NOT NULL,
    canonical    TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, principal_id, kind),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX verification_contacts_by_value ON verification_contacts (account_id, kind, canonical);

-- The last credential report of each account, and the one that is being made.
CREATE TABLE credential_reports (
    account_id   TEXT    NOT NULL PRIMARY KEY REFERENCES accounts,
    generated_at INTEGER,
    lines        INTEGER NOT NULL,
    making       INTEGER,
    making_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Its lines of CSV, some of them in a row.
CREATE TABLE credential_report_parts (
    account_id   TEXT    NOT NULL REFERENCES credential_reports,
    generated_at INTEGER NOT NULL,
    part         INTEGER NOT NULL,
    content      TEXT    NOT NULL,
    PRIMARY KEY (account_id, generated_at, part)
) STRICT;
