-- The Scene: pictures that no model drew, pieces, Drafts, the way back forward, and a server's own styles.

-- SQLite cannot widen a CHECK, so the table is made anew. (Foreign keys are off while migrations run.)
CREATE TABLE new_picture (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    scene_id    INTEGER NOT NULL REFERENCES scene (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,        -- 1, 2, 3 … within its Scene: what people call it
    parent_id   INTEGER REFERENCES picture (id),
    kind        TEXT NOT NULL CHECK (kind IN ('uploaded', 'generated', 'painted', 'cut', 'composed', 'shaped')),
    author_id   INTEGER NOT NULL,
    file        TEXT NOT NULL,           -- SHA-256 of the stored PNG
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    latents     TEXT,                    -- SHA-256 of the latent blob this picture was decoded from
    latents_of  TEXT,                    -- which models can take it up again (ModelInfo.latents)
    job_id      INTEGER REFERENCES job (id),
    candidate   INTEGER,                 -- 1, 2, 3 … within its Job
    piece       TEXT,                    -- its name, if it is a Piece; NULL if it is none
    made        TEXT,                    -- how it came of its parent without a model, in words for people
    created_at  REAL NOT NULL,
    deleted_at  REAL,                    -- a tombstone: its number and place in the tree stay, `file` is gone
    UNIQUE (scene_id, number),
    UNIQUE (job_id, candidate)
) STRICT;

INSERT INTO new_picture SELECT id, scene_id, number, parent_id, kind, author_id, file, width, height, latents,
    latents_of, job_id, candidate, NULL, NULL, created_at, deleted_at FROM picture;
DROP TABLE picture;
ALTER TABLE new_picture RENAME TO picture;

CREATE INDEX picture_by_file ON picture (file) WHERE deleted_at IS NULL;
CREATE INDEX picture_by_latents ON picture (latents) WHERE deleted_at IS NULL AND latents IS NOT NULL;
CREATE INDEX picture_deleted ON picture (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX picture_by_parent ON picture (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX piece_by_author ON picture (author_id) WHERE piece IS NOT NULL AND deleted_at IS NULL;

-- A region that is drawn anew is a file of its own (a grey PNG), which the job's request names.
CREATE INDEX job_by_mask ON job (json_extract(request, '$.mask')) WHERE deleted_at IS NULL;

-- A placing in progress: free of charge, until it is discarded or turned into a Picture.
CREATE TABLE draft (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    scene_id    INTEGER NOT NULL REFERENCES scene (id) ON DELETE CASCADE,
    author_id   INTEGER NOT NULL,
    base_id     INTEGER NOT NULL REFERENCES picture (id),  -- what is placed onto
    layers      TEXT NOT NULL,           -- the pieces and where they lie, lowest first, as JSON
    selected    INTEGER NOT NULL,        -- the index of the layer that the buttons move
    earlier     TEXT NOT NULL,           -- what Undo goes back to: earlier layers and selections, latest last
    state       TEXT NOT NULL CHECK (state IN ('open', 'placed', 'discarded')),
    result_id   INTEGER REFERENCES picture (id),  -- the Picture it became
    created_at  REAL NOT NULL
) STRICT;

CREATE INDEX draft_by_author ON draft (author_id) WHERE state = 'open';
CREATE INDEX draft_by_result ON draft (result_id) WHERE result_id IS NOT NULL;

ALTER TABLE post ADD COLUMN draft_id INTEGER REFERENCES draft (id) ON DELETE CASCADE;
CREATE INDEX post_by_draft ON post (draft_id) WHERE draft_id IS NOT NULL;

-- What /undo left, per person and Scene, for /redo: the latest has the greatest depth.
CREATE TABLE undone (
    scene_id    INTEGER NOT NULL REFERENCES scene (id) ON DELETE CASCADE,
    person_id   INTEGER NOT NULL,
    depth       INTEGER NOT NULL,
    picture_id  INTEGER NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
    PRIMARY KEY (scene_id, person_id, depth)
) STRICT, WITHOUT ROWID;

-- The style that a job is drawn in, as JSON and as it was then: a server may change its own. `request` holds only the
-- person's words; the engine is told both together.
ALTER TABLE job ADD COLUMN style TEXT;

-- Pictures that a message shows beside its own: the frames of a timelapse. It goes with the first that is deleted.
CREATE TABLE also_shows (
    nonce       TEXT NOT NULL REFERENCES post (nonce) ON DELETE CASCADE,
    picture_id  INTEGER NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
    PRIMARY KEY (nonce, picture_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX also_shows_by_picture ON also_shows (picture_id);

-- A server's own style presets, beside those of bot/styles.toml.
CREATE TABLE style (
    guild_id    INTEGER NOT NULL,
    name        TEXT NOT NULL,
    template    TEXT NOT NULL,           -- a prompt with {prompt} in it
    negative    TEXT NOT NULL,
    strength    REAL,                    -- the recommended one; NULL: the model's own
    set_by      INTEGER NOT NULL,
    set_at      REAL NOT NULL,
    PRIMARY KEY (guild_id, name)
) STRICT, WITHOUT ROWID;
