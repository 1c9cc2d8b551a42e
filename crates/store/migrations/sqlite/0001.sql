-- Documents: a value with an id, a version, and the few columns it is found by. Bodies are JSON text.
CREATE TABLE document (
  kind    TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  version INTEGER NOT NULL,
  status  TEXT    NOT NULL,
  parent  TEXT    NOT NULL,
  at      INTEGER NOT NULL, -- milliseconds since the epoch
  body    TEXT    NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX document_by_status ON document (kind, status, at, id);
CREATE INDEX document_by_parent ON document (kind, parent, at, id);
CREATE INDEX document_by_time ON document (kind, at, id);

-- Logs: entries that are only ever added, numbered from 0 without a gap.
CREATE TABLE entry (
  log  TEXT    NOT NULL,
  seq  INTEGER NOT NULL,
  at   INTEGER NOT NULL,
  body TEXT    NOT NULL,
  PRIMARY KEY (log, seq)
) WITHOUT ROWID;
