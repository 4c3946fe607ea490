-- Who may go on from a person's pictures, and deletion that leaves the tree whole.

-- A missing row means: everyone.
CREATE TABLE person (
    person_id   INTEGER PRIMARY KEY,
    shares      TEXT NOT NULL CHECK (shares IN ('everyone', 'mine'))
) STRICT;

-- A deleted Picture stays as a tombstone: its number and its place in the tree, for it may have children. `file`
-- still names the bytes (a child's Recipe does, too), but they are gone.
ALTER TABLE picture ADD COLUMN deleted_at REAL;
CREATE INDEX picture_by_file ON picture (file) WHERE deleted_at IS NULL;
CREATE INDEX picture_by_latents ON picture (latents) WHERE deleted_at IS NULL AND latents IS NOT NULL;
CREATE INDEX picture_deleted ON picture (id) WHERE deleted_at IS NOT NULL;

-- A Job whose card was deleted by somebody who may; its words are gone as well.
ALTER TABLE job ADD COLUMN deleted_at REAL;
CREATE INDEX job_deleted ON job (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX job_by_parent ON job (parent_id);
CREATE INDEX job_by_upload ON job (upload_id);

CREATE INDEX post_by_picture ON post (picture_id);

-- Files to be removed from the folder because no Picture holds them any more. Written with the tombstone, so that a
-- crash cannot leave the bytes behind; a row goes when its file is gone.
CREATE TABLE doomed_file (
    file        TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
