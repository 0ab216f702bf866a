-- What the signed RAM protocol keeps besides what the pages know.

-- Nonces of signed calls that must not be taken twice. On PostgreSQL all of them, shared by the nodes; on SQLite, where the
-- server remembers the others itself, those of calls that were signed ahead of its clock.
CREATE TABLE api_nonces (
    nonce_hash BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX api_nonces_by_end ON api_nonces (expires_at);

-- Virtual MFA devices that exist and are bound to nobody. What a device has spent stays spent while it lies here.
CREATE TABLE unbound_mfa (
    account_id  TEXT COLLATE "C" NOT NULL REFERENCES accounts,
    device_id   TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    sealed_seed BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    last_step   BIGINT NOT NULL,
    PRIMARY KEY (account_id, device_id),
    UNIQUE (account_id, name)
);
CREATE INDEX virtual_mfa_by_name ON virtual_mfa (account_id, name);

-- A contact number of a RAM user, for people to read.
ALTER TABLE principals ADD COLUMN mobile_phone TEXT COLLATE "C";

-- Email addresses and phones by which a RAM user is to prove himself. One is pending until he has shown that it is his.
CREATE TABLE verification_contacts (
    account_id   TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    value        TEXT COLLATE "C" NOT NULL,
    canonical    TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (account_id, principal_id, kind),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);
CREATE INDEX verification_contacts_by_value ON verification_contacts (account_id, kind, canonical);

-- The last credential report of each account, and the one that is being made.
CREATE TABLE credential_reports (
    account_id   TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES accounts,
    generated_at BIGINT,
    lines        BIGINT NOT NULL,
    making       BIGINT,
    making_until BIGINT NOT NULL
);

-- Its lines of CSV, some of them in a row.
CREATE TABLE credential_report_parts (
    account_id   TEXT COLLATE "C" NOT NULL REFERENCES credential_reports,
    generated_at BIGINT NOT NULL,
    part         BIGINT NOT NULL,
    content      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, generated_at, part)
);
