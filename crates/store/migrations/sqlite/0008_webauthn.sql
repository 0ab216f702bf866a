-- Security keys and passkeys.

CREATE TABLE webauthn_credentials (
    account_id      TEXT    NOT NULL,
    key_id          TEXT    NOT NULL,
    principal_id    TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    -- As the authenticator drew it; it belongs to one principal of the whole installation.
    credential_id   BLOB    NOT NULL UNIQUE,
    rp_id           TEXT    NOT NULL,
    public_key      BLOB    NOT NULL,
    sign_count      INTEGER NOT NULL,
    transports      TEXT    NOT NULL,
    aaguid          TEXT    NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backed_up       INTEGER NOT NULL,
    user_verified   INTEGER NOT NULL,
    attestation     TEXT    NOT NULL,
    trust           TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    canonical_name  TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER,
    -- Why it is refused though it is bound: its user disowned it, or it came back with a backup.
    held            TEXT,
    PRIMARY KEY (account_id, key_id),
    UNIQUE (account_id, principal_id, canonical_name),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT;

-- Challenges that wait for their answer. Each is for one purpose and whoever began it: a logon, a session. Those of logons by
-- passkey are kept by the browser, and get a row when they are answered, so that they are not answered again.
CREATE TABLE webauthn_ceremonies (
    challenge_hash BLOB    NOT NULL PRIMARY KEY,
    started_by     TEXT    NOT NULL,
    purpose        TEXT    NOT NULL,
    -- Whose key is bound or asked for; nobody's, where the passkey will tell.
    account_id     TEXT,
    principal_id   TEXT,
    -- Whether the virtual MFA device goes when the key is bound.
    replaces       INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webauthn_ceremonies_by_end ON webauthn_ceremonies (expires_at);
CREATE INDEX webauthn_ceremonies_by_beginner ON webauthn_ceremonies (started_by);

-- A proof by a security key or passkey signs the challenge of that very proof.
ALTER TABLE proofs ADD COLUMN challenge_hash BLOB;
