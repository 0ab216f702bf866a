-- What people are told, and what administrators have to look at.

CREATE TABLE outbox (
    account_id   TEXT    NOT NULL,
    notice_id    TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    recipient    TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    facts        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    last_error   TEXT    NOT NULL DEFAULT '',
    disowned_at  INTEGER,
    PRIMARY KEY (account_id, notice_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_by_due ON outbox (due_at) WHERE state = 'waiting';

CREATE TABLE findings (
    account_id     TEXT    NOT NULL,
    finding_id     TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    principal_id   TEXT    NOT NULL,
    principal_name TEXT    NOT NULL,
    details        TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    settled_at     INTEGER,
    settled_by     TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, finding_id)
) STRICT, WITHOUT ROWID;
