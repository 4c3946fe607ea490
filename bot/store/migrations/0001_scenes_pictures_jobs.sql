-- The first schema. Times are seconds since 1970 (UTC); ids of Discord things are its snowflakes.
-- People and servers are only ever named by id: no names or avatars are kept.

CREATE TABLE scene (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER,                 -- NULL in direct messages
    channel_id  INTEGER NOT NULL,        -- where it was asked for
    thread_id   INTEGER,                 -- the thread the bot opened for it, once it is open
    wants_thread INTEGER NOT NULL,       -- 1: it is to get a thread of its own; 0: it lives in channel_id
    title       TEXT NOT NULL,
    owner_id    INTEGER NOT NULL,
    created_at  REAL NOT NULL
) STRICT;

-- A thread that the bot opened holds exactly one Scene.
CREATE UNIQUE INDEX scene_by_thread ON scene (thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX scene_by_channel ON scene (channel_id);

CREATE TABLE picture (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    scene_id    INTEGER NOT NULL REFERENCES scene (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,        -- 1, 2, 3 … within its Scene: what people call it
    parent_id   INTEGER REFERENCES picture (id),
    kind        TEXT NOT NULL CHECK (kind IN ('uploaded', 'generated')),
    author_id   INTEGER NOT NULL,
    file        TEXT NOT NULL,           -- SHA-256 of the stored PNG
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    latents     TEXT,                    -- SHA-256 of the latent blob this picture was decoded from
    latents_of  TEXT,                    -- which models can take it up again (ModelInfo.latents)
    job_id      INTEGER REFERENCES job (id),
    candidate   INTEGER,                 -- 1, 2, 3 … within its Job
    created_at  REAL NOT NULL,
    UNIQUE (scene_id, number),
    UNIQUE (job_id, candidate)
) STRICT;

CREATE TABLE job (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT NOT NULL UNIQUE,    -- the interaction or message that asked: the same event is the same job
    kind        TEXT NOT NULL,
    scene_id    INTEGER NOT NULL REFERENCES scene (id) ON DELETE CASCADE,
    guild_id    INTEGER,
    author_id   INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'running', 'rendered', 'posted', 'failed', 'cancelled')),
    attempt     INTEGER NOT NULL DEFAULT 0,  -- counts runs: a result of an older run is ignored
    request     TEXT NOT NULL,           -- ImageRequest as JSON
    model_version TEXT NOT NULL DEFAULT '',  -- fingerprint of the weights that drew it: with request, the Recipe
    parent_id   INTEGER REFERENCES picture (id),  -- the Picture it goes on from
    upload_id   INTEGER REFERENCES picture (id),  -- the Picture that was sent along
    notes       TEXT NOT NULL,           -- sentences for the card, as a JSON list
    error       TEXT,                    -- the sentence a failed job shows
    shown       INTEGER NOT NULL DEFAULT 0,  -- 1: its card says how it ended, or nobody is left to be told
    created_at  REAL NOT NULL,
    started_at  REAL,
    seconds     REAL                     -- from its start to its last sample, once rendered
) STRICT;

CREATE INDEX job_by_state ON job (state);
CREATE INDEX job_to_take_up ON job (id) WHERE NOT shown;
CREATE INDEX job_by_scene ON job (scene_id);

-- Every message of ours that carries a job or a picture. The row is written before the send (message_id NULL), so
-- that after a crash the same nonce is used again and Discord hands back the message that was already posted.
CREATE TABLE post (
    nonce       TEXT PRIMARY KEY,        -- <job>:<purpose>:<n>, at most 25 characters
    job_id      INTEGER REFERENCES job (id) ON DELETE CASCADE,
    picture_id  INTEGER REFERENCES picture (id) ON DELETE CASCADE,
    channel_id  INTEGER NOT NULL,
    message_id  INTEGER UNIQUE,
    gone        INTEGER NOT NULL DEFAULT 0,  -- deleted in Discord; the row stays, for its nonce is used up
    created_at  REAL NOT NULL
) STRICT;

CREATE INDEX post_by_job ON post (job_id);

-- From which Picture a person goes on in a Scene; without a row it is the Scene's latest.
CREATE TABLE current_picture (
    scene_id    INTEGER NOT NULL REFERENCES scene (id) ON DELETE CASCADE,
    person_id   INTEGER NOT NULL,
    picture_id  INTEGER NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
    PRIMARY KEY (scene_id, person_id)
) STRICT, WITHOUT ROWID;

-- Which Candidate a person chose on a card. It stays when they go on elsewhere in the Scene.
CREATE TABLE pick (
    job_id      INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    person_id   INTEGER NOT NULL,
    candidate   INTEGER NOT NULL,
    PRIMARY KEY (job_id, person_id)
) STRICT, WITHOUT ROWID;

-- What a server's moderators set; a missing row means the default in bot/limits.py.
CREATE TABLE server_limit (
    guild_id    INTEGER NOT NULL,
    name        TEXT NOT NULL,
    value       INTEGER NOT NULL,
    set_by      INTEGER NOT NULL,
    set_at      REAL NOT NULL,
    PRIMARY KEY (guild_id, name)
) STRICT, WITHOUT ROWID;

-- What the bot notes for itself: which commands it registered last, for instance.
CREATE TABLE memo (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
