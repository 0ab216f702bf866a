-- Times are microseconds UTC. Ids and canonical names compare byte by byte.

-- Facts of the installation.
CREATE TABLE facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    account_id TEXT    NOT NULL PRIMARY KEY,
    alias      TEXT    NOT NULL UNIQUE,
    settings   TEXT    NOT NULL,
    epoch      INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE principals (
    account_id     TEXT    NOT NULL REFERENCES accounts,
    principal_id   TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    canonical_name TEXT    NOT NULL,
    display_name   TEXT    NOT NULL,
    comments       TEXT    NOT NULL,
    email          TEXT,
    owner_email    TEXT    UNIQUE,
    search         TEXT    NOT NULL,
    epoch          INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    last_logon_at  INTEGER,
    PRIMARY KEY (account_id, principal_id),
    UNIQUE (account_id, kind, canonical_name)
) STRICT;

CREATE TABLE login_profiles (
    account_id              TEXT    NOT NULL,
    principal_id            TEXT    NOT NULL,
    console_logon           TEXT    NOT NULL,
    password_hash           TEXT,
    password_changed_at     INTEGER,
    password_reset_required INTEGER NOT NULL,
    mfa_bind_required       INTEGER NOT NULL,
    created_at              INTEGER NOT NULL,
    PRIMARY KEY (account_id, principal_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT;

CREATE TABLE attached_policies (
    account_id   TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    policy       TEXT    NOT NULL,
    attached_at  INTEGER NOT NULL,
    PRIMARY KEY (account_id, principal_id, policy),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE virtual_mfa (
    account_id   TEXT    NOT NULL,
    device_id    TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    sealed_seed  BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    started_by   TEXT,
    expires_at   INTEGER,
    bound_at     INTEGER,
    last_step    INTEGER NOT NULL,
    drift        INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (account_id, device_id),
    -- One device is pending and one is bound, at most.
    UNIQUE (account_id, principal_id, state),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT;

-- How many bindings a principal has started lately.
CREATE TABLE binding_starts (
    account_id   TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    hour         INTEGER NOT NULL,
    starts       INTEGER NOT NULL,
    PRIMARY KEY (account_id, principal_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Tries of a factor since its last success. The subject is a principal or a device, or the phantom of a name that
-- does not exist; hence no foreign key.
CREATE TABLE budgets (
    account_id    TEXT    NOT NULL,
    subject_id    TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    failures      INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (account_id, subject_id, kind)
) STRICT, WITHOUT ROWID;

-- Keyed by the SHA-256 of what the browser holds. A logon of a name that does not exist is a row as well.
CREATE TABLE logons (
    token_hash      BLOB    NOT NULL PRIMARY KEY,
    logon_id        TEXT    NOT NULL,
    account_id      TEXT    NOT NULL,
    principal_id    TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    facts           TEXT    NOT NULL,
    principal_epoch INTEGER NOT NULL,
    account_epoch   INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logons_by_end ON logons (expires_at);

CREATE TABLE sessions (
    token_hash      BLOB    NOT NULL PRIMARY KEY,
    session_id      TEXT    NOT NULL,
    account_id      TEXT    NOT NULL,
    principal_id    TEXT    NOT NULL,
    principal_epoch INTEGER NOT NULL,
    account_epoch   INTEGER NOT NULL,
    methods         TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    last_seen_at    INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    address         TEXT    NOT NULL,
    user_agent      TEXT    NOT NULL,
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_principal ON sessions (account_id, principal_id, created_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE audit_events (
    account_id TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    actor_kind TEXT    NOT NULL,
    actor_id   TEXT    NOT NULL,
    actor_name TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    -- Event ids begin with their time, so this is the order of the log.
    PRIMARY KEY (account_id, event_id)
) STRICT, WITHOUT ROWID;

-- What strangers were refused, counted so that they cannot fill the disk.
CREATE TABLE anonymous_refusals (
    minute  INTEGER NOT NULL,
    address TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    times   INTEGER NOT NULL,
    PRIMARY KEY (minute, address, reason)
) STRICT, WITHOUT ROWID;
