-- Security keys and passkeys.

CREATE TABLE webauthn_credentials (
    account_id      TEXT COLLATE "C"    NOT NULL,
    key_id          TEXT COLLATE "C"    NOT NULL,
    principal_id    TEXT COLLATE "C"    NOT NULL,
    kind            TEXT COLLATE "C"    NOT NULL,
    -- As the authenticator drew it; it belongs to one principal of the whole installation.
    credential_id   BYTEA    NOT NULL UNIQUE,
    rp_id           TEXT COLLATE "C"    NOT NULL,
    public_key      BYTEA    NOT NULL,
    sign_count      BIGINT NOT NULL,
    transports      TEXT COLLATE "C"    NOT NULL,
    aaguid          TEXT COLLATE "C"    NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backed_up       BOOLEAN NOT NULL,
    user_verified   BOOLEAN NOT NULL,
    attestation     TEXT COLLATE "C"    NOT NULL,
    trust           TEXT COLLATE "C"    NOT NULL,
    name            TEXT COLLATE "C"    NOT NULL,
    canonical_name  TEXT COLLATE "C"    NOT NULL,
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT,
    -- Why it is refused though it is bound: its user disowned it, or it came back with a backup.
    held            TEXT COLLATE "C",
    PRIMARY KEY (account_id, key_id),
    UNIQUE (account_id, principal_id, canonical_name),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);

-- Challenges that wait for their answer. Each is for one purpose and whoever began it: a logon, a session. Those of logons by
-- passkey are kept by the browser, and get a row when they are answered, so that they are not answered again.
CREATE TABLE webauthn_ceremonies (
    challenge_hash BYTEA    NOT NULL PRIMARY KEY,
    started_by     TEXT COLLATE "C"    NOT NULL,
    purpose        TEXT COLLATE "C"    NOT NULL,
    -- Whose key is bound or asked for; nobody's, where the passkey will tell.
    account_id     TEXT COLLATE "C",
    principal_id   TEXT COLLATE "C",
    -- Whether the virtual MFA device goes when the key is bound.
    replaces       BOOLEAN NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX webauthn_ceremonies_by_end ON webauthn_ceremonies (expires_at);
CREATE INDEX webauthn_ceremonies_by_beginner ON webauthn_ceremonies (started_by);

-- A proof by a security key or passkey signs the challenge of that very proof.
ALTER TABLE proofs ADD COLUMN challenge_hash BYTEA;
