-- What people are told, and what administrators have to look at.

CREATE TABLE outbox (
    account_id   TEXT COLLATE "C"    NOT NULL,
    notice_id    TEXT COLLATE "C"    NOT NULL,
    principal_id TEXT COLLATE "C"    NOT NULL,
    kind         TEXT COLLATE "C"    NOT NULL,
    recipient    TEXT COLLATE "C"    NOT NULL,
    language     TEXT COLLATE "C"    NOT NULL,
    facts        TEXT COLLATE "C"    NOT NULL,
    created_at   BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    state        TEXT COLLATE "C"    NOT NULL,
    last_error   TEXT COLLATE "C"    NOT NULL DEFAULT '',
    disowned_at  BIGINT,
    PRIMARY KEY (account_id, notice_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);
CREATE INDEX outbox_by_due ON outbox (due_at) WHERE state = 'waiting';

CREATE TABLE findings (
    account_id     TEXT COLLATE "C"    NOT NULL,
    finding_id     TEXT COLLATE "C"    NOT NULL,
    kind           TEXT COLLATE "C"    NOT NULL,
    principal_id   TEXT COLLATE "C"    NOT NULL,
    principal_name TEXT COLLATE "C"    NOT NULL,
    details        TEXT COLLATE "C"    NOT NULL,
    at             BIGINT NOT NULL,
    settled_at     BIGINT,
    settled_by     TEXT COLLATE "C"    NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, finding_id)
);
