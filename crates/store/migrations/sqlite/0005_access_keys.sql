-- The keys with which programs sign their calls.

-- The secret must be read again to check a signature, so it is sealed; its head names the version of the key ring's key.
CREATE TABLE access_keys (
    account_id        TEXT    NOT NULL,
    access_key_id     TEXT    NOT NULL,
    principal_id      TEXT    NOT NULL,
    sealed_secret     BLOB    NOT NULL,
    status            TEXT    NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    enabled_at        INTEGER NOT NULL,
    last_used_at      INTEGER,
    last_used_service TEXT,
    PRIMARY KEY (account_id, access_key_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- A call names the key alone, and the key tells whose it is.
CREATE UNIQUE INDEX access_keys_by_id ON access_keys (access_key_id);
CREATE INDEX access_keys_by_principal ON access_keys (account_id, principal_id);
