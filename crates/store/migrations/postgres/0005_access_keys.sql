-- The keys with which programs sign their calls.

-- The secret must be read again to check a signature, so it is sealed; its head names the version of the key ring's key.
CREATE TABLE access_keys (
    account_id        TEXT COLLATE "C" NOT NULL,
    access_key_id     TEXT COLLATE "C" NOT NULL,
    principal_id      TEXT COLLATE "C" NOT NULL,
    sealed_secret     BYTEA NOT NULL,
    status            TEXT COLLATE "C" NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    enabled_at        BIGINT NOT NULL,
    last_used_at      BIGINT,
    last_used_service TEXT COLLATE "C",
    PRIMARY KEY (account_id, access_key_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);
-- A call names the key alone, and the key tells whose it is.
CREATE UNIQUE INDEX access_keys_by_id ON access_keys (access_key_id);
CREATE INDEX access_keys_by_principal ON access_keys (account_id, principal_id);
