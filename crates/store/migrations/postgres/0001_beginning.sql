-- Times are microseconds UTC. Ids and canonical names compare byte by byte.

-- Facts of the installation.
CREATE TABLE facts (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE accounts (
    account_id TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    alias      TEXT COLLATE "C"    NOT NULL UNIQUE,
    settings   TEXT COLLATE "C"    NOT NULL,
    epoch      BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE principals (
    account_id     TEXT COLLATE "C"    NOT NULL REFERENCES accounts,
    principal_id   TEXT COLLATE "C"    NOT NULL,
    kind           TEXT COLLATE "C"    NOT NULL,
    name           TEXT COLLATE "C"    NOT NULL,
    canonical_name TEXT COLLATE "C"    NOT NULL,
    display_name   TEXT COLLATE "C"    NOT NULL,
    comments       TEXT COLLATE "C"    NOT NULL,
    email          TEXT COLLATE "C",
    owner_email    TEXT COLLATE "C"    UNIQUE,
    search         TEXT COLLATE "C"    NOT NULL,
    epoch          BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    last_logon_at  BIGINT,
    PRIMARY KEY (account_id, principal_id),
    UNIQUE (account_id, kind, canonical_name)
);

CREATE TABLE login_profiles (
    account_id              TEXT COLLATE "C"    NOT NULL,
    principal_id            TEXT COLLATE "C"    NOT NULL,
    console_logon           TEXT COLLATE "C"    NOT NULL,
    password_hash           TEXT COLLATE "C",
    password_changed_at     BIGINT,
    password_reset_required BOOLEAN NOT NULL,
    mfa_bind_required       BOOLEAN NOT NULL,
    created_at              BIGINT NOT NULL,
    PRIMARY KEY (account_id, principal_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);

CREATE TABLE attached_policies (
    account_id   TEXT COLLATE "C"    NOT NULL,
    principal_id TEXT COLLATE "C"    NOT NULL,
    policy       TEXT COLLATE "C"    NOT NULL,
    attached_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, principal_id, policy),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);

CREATE TABLE virtual_mfa (
    account_id   TEXT COLLATE "C"    NOT NULL,
    device_id    TEXT COLLATE "C"    NOT NULL,
    principal_id TEXT COLLATE "C"    NOT NULL,
    name         TEXT COLLATE "C"    NOT NULL,
    state        TEXT COLLATE "C"    NOT NULL,
    sealed_seed  BYTEA    NOT NULL,
    created_at   BIGINT NOT NULL,
    started_by   TEXT COLLATE "C",
    expires_at   BIGINT,
    bound_at     BIGINT,
    last_step    BIGINT NOT NULL,
    drift        BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (account_id, device_id),
    -- One device is pending and one is bound, at most.
    UNIQUE (account_id, principal_id, state),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);

-- How many bindings a principal has started lately.
CREATE TABLE binding_starts (
    account_id   TEXT COLLATE "C"    NOT NULL,
    principal_id TEXT COLLATE "C"    NOT NULL,
    hour         BIGINT NOT NULL,
    starts       BIGINT NOT NULL,
    PRIMARY KEY (account_id, principal_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);

-- Tries of a factor since its last success. The subject is a principal or a device, or the phantom of a name that
-- does not exist; hence no foreign key.
CREATE TABLE budgets (
    account_id    TEXT COLLATE "C"    NOT NULL,
    subject_id    TEXT COLLATE "C"    NOT NULL,
    kind          TEXT COLLATE "C"    NOT NULL,
    failures      BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, subject_id, kind)
);

-- Keyed by the SHA-256 of what the browser holds. A logon of a name that does not exist is a row as well.
CREATE TABLE logons (
    token_hash      BYTEA    NOT NULL PRIMARY KEY,
    logon_id        TEXT COLLATE "C"    NOT NULL,
    account_id      TEXT COLLATE "C"    NOT NULL,
    principal_id    TEXT COLLATE "C"    NOT NULL,
    kind            TEXT COLLATE "C"    NOT NULL,
    name            TEXT COLLATE "C"    NOT NULL,
    state           TEXT COLLATE "C"    NOT NULL,
    facts           TEXT COLLATE "C"    NOT NULL,
    principal_epoch BIGINT NOT NULL,
    account_epoch   BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX logons_by_end ON logons (expires_at);

CREATE TABLE sessions (
    token_hash      BYTEA    NOT NULL PRIMARY KEY,
    session_id      TEXT COLLATE "C"    NOT NULL,
    account_id      TEXT COLLATE "C"    NOT NULL,
    principal_id    TEXT COLLATE "C"    NOT NULL,
    principal_epoch BIGINT NOT NULL,
    account_epoch   BIGINT NOT NULL,
    methods         TEXT COLLATE "C"    NOT NULL,
    created_at      BIGINT NOT NULL,
    last_seen_at    BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    address         TEXT COLLATE "C"    NOT NULL,
    user_agent      TEXT COLLATE "C"    NOT NULL,
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);
CREATE INDEX sessions_by_principal ON sessions (account_id, principal_id, created_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE audit_events (
    account_id TEXT COLLATE "C"    NOT NULL,
    event_id   TEXT COLLATE "C"    NOT NULL,
    at         BIGINT NOT NULL,
    actor_kind TEXT COLLATE "C"    NOT NULL,
    actor_id   TEXT COLLATE "C"    NOT NULL,
    actor_name TEXT COLLATE "C"    NOT NULL,
    action     TEXT COLLATE "C"    NOT NULL,
    target     TEXT COLLATE "C"    NOT NULL,
    outcome    TEXT COLLATE "C"    NOT NULL,
    reason     TEXT COLLATE "C"    NOT NULL,
    address    TEXT COLLATE "C"    NOT NULL,
    user_agent TEXT COLLATE "C"    NOT NULL,
    -- Event ids begin with their time, so this is the order of the log.
    PRIMARY KEY (account_id, event_id)
);

-- What strangers were refused, counted so that they cannot fill the disk.
CREATE TABLE anonymous_refusals (
    minute  BIGINT NOT NULL,
    address TEXT COLLATE "C"    NOT NULL,
    reason  TEXT COLLATE "C"    NOT NULL,
    times   BIGINT NOT NULL,
    PRIMARY KEY (minute, address, reason)
);
