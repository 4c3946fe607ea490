-- Strangers share one GPU: rules of servers, channels and roles, what moderators decide, and who used how much.

-- A server's own rules, for all of it, one channel or one role; a missing row means the next wider one, at last the
-- default in bot/limits.py. The limits of earlier versions were all those of servers.
CREATE TABLE rule (
    guild_id    INTEGER NOT NULL,
    scope       TEXT NOT NULL CHECK (scope IN ('server', 'channel', 'role')),
    scope_id    INTEGER NOT NULL,        -- the channel's or role's id; of a server its own
    name        TEXT NOT NULL,
    value       TEXT NOT NULL,           -- JSON: a number, a switch, a choice, a list
    set_by      INTEGER NOT NULL,
    set_at      REAL NOT NULL,
    PRIMARY KEY (guild_id, scope, scope_id, name)
) STRICT, WITHOUT ROWID;

INSERT INTO rule SELECT guild_id, 'server', guild_id, name,
    CASE WHEN name = 'recipes' THEN iif(value, 'true', 'false') ELSE CAST(value AS TEXT) END, set_by, set_at
    FROM server_limit;
DROP TABLE server_limit;

-- What the host decided for all servers: ceilings of rules, for instance. value is JSON.
CREATE TABLE ceiling (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL,
    set_at      REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- What is known of a server as a whole; a missing row means: nothing special.
CREATE TABLE server (
    guild_id    INTEGER PRIMARY KEY,
    weight      REAL NOT NULL DEFAULT 1.0,   -- its share of the line, set by the host; 0 is the direct messages' row
    banned_for  TEXT,                        -- why the host keeps it out; NULL: it is not kept out
    paused_for  TEXT,                        -- why its moderators paused its line; NULL: it is not paused
    log_channel_id INTEGER,                  -- where moderators read what happens
    left_at     REAL                         -- when the bot was removed from it; its data goes a week later
) STRICT;

-- Who a server's moderators keep from using the bot there. It outlives /forget-me.
CREATE TABLE block (
    guild_id    INTEGER NOT NULL,
    person_id   INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    until       REAL,                    -- NULL: until somebody lifts it
    set_by      INTEGER NOT NULL,
    set_at      REAL NOT NULL,
    PRIMARY KEY (guild_id, person_id)
) STRICT, WITHOUT ROWID;

-- Words that a server blocks, or holds for a moderator, or lets through although the default list would not.
CREATE TABLE word (
    guild_id    INTEGER NOT NULL,
    word        TEXT NOT NULL,           -- as the moderator typed it
    verdict     TEXT NOT NULL CHECK (verdict IN ('block', 'hold', 'allow')),
    set_by      INTEGER NOT NULL,
    set_at      REAL NOT NULL,
    PRIMARY KEY (guild_id, word)
) STRICT, WITHOUT ROWID;

-- Who changed what from what to what, and every refusal by safety. Never a prompt: words are named by their rule.
CREATE TABLE audit (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER,                 -- NULL: the host's own doing, or direct messages
    at          REAL NOT NULL,
    actor_id    INTEGER,                 -- who did it; NULL: the bot or its host
    action      TEXT NOT NULL,
    subject     TEXT NOT NULL,           -- what or whom it was done to, as a mention or a name
    before      TEXT NOT NULL,           -- '' where there was nothing
    after       TEXT NOT NULL,
    reason      TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_server ON audit (guild_id, id);

-- What a person used, per day (days since 1970, UTC). Kept apart from jobs, which may be forgotten before the day ends.
CREATE TABLE usage (
    guild_id    INTEGER NOT NULL,        -- 0: direct messages
    person_id   INTEGER NOT NULL,
    day         INTEGER NOT NULL,
    jobs        INTEGER NOT NULL DEFAULT 0,  -- that were rendered
    gpu_seconds REAL NOT NULL DEFAULT 0,
    waited      REAL NOT NULL DEFAULT 0,     -- seconds from acceptance to the first step, of all of them together
    PRIMARY KEY (guild_id, person_id, day)
) STRICT, WITHOUT ROWID;

-- Requests to forget a person, until they are carried out.
CREATE TABLE forgetting (
    person_id   INTEGER PRIMARY KEY,
    asked_at    REAL NOT NULL,
    channel_id  INTEGER,                 -- where its progress is shown
    message_id  INTEGER,
    messages    INTEGER NOT NULL DEFAULT 0,  -- how many messages there were to delete
    refused     INTEGER NOT NULL DEFAULT 0,  -- how many of them Discord would not delete
    done_at     REAL
) STRICT;

-- What Discord still shows of people who are to be forgotten; a row goes when it is taken away, or cannot be.
CREATE TABLE trace (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id   INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('thread', 'message', 'card')),  -- to be renamed, deleted, drawn anew
    channel_id  INTEGER NOT NULL,        -- of a thread its own
    message_id  INTEGER,                 -- NULL for a thread
    job_id      INTEGER                  -- somebody else's, whose card it is; NULL for anything but a card
) STRICT;

CREATE INDEX trace_by_person ON trace (person_id);

ALTER TABLE job ADD COLUMN standing TEXT NOT NULL DEFAULT '{}';  -- who its author was when they asked, as JSON
ALTER TABLE job ADD COLUMN held_for TEXT;        -- why it waits for a moderator; NULL: it does not
ALTER TABLE job ADD COLUMN let_through INTEGER NOT NULL DEFAULT 0;  -- whether a moderator did: it is not held again
ALTER TABLE job ADD COLUMN moved_for TEXT;       -- why a moderator moved it to the front of the line
ALTER TABLE job ADD COLUMN gpu_seconds REAL;     -- its share of the engine's time, once rendered
CREATE INDEX job_by_author ON job (author_id, created_at);
CREATE INDEX job_by_server ON job (guild_id, created_at);

-- Whole Scenes and people are deleted now: without these, each picture that goes would have these tables searched.
CREATE INDEX picture_by_author ON picture (author_id);
CREATE INDEX current_picture_by_picture ON current_picture (picture_id);
CREATE INDEX undone_by_picture ON undone (picture_id);
CREATE INDEX draft_by_base ON draft (base_id);
CREATE INDEX draft_by_scene ON draft (scene_id);
CREATE INDEX scene_by_owner ON scene (owner_id);

ALTER TABLE picture ADD COLUMN unsafe TEXT;      -- what safety took it for, or that it has yet to look: it is shown hidden

ALTER TABLE scene ADD COLUMN used_at REAL;       -- the last time that anything was added to it; NULL: when it began
ALTER TABLE scene ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;  -- kept however long it is not used
