-- As for SQLite. Ids are compared byte by byte, so that pages are the same whatever the database's language.
CREATE TABLE document (
  kind    TEXT   NOT NULL,
  id      TEXT   COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  status  TEXT   COLLATE "C" NOT NULL,
  parent  TEXT   COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL, -- milliseconds since the epoch
  body    TEXT   NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX document_by_status ON document (kind, status, at, id);
CREATE INDEX document_by_parent ON document (kind, parent, at, id);
CREATE INDEX document_by_time ON document (kind, at, id);

CREATE TABLE entry (
  log  TEXT   COLLATE "C" NOT NULL,
  seq  BIGINT NOT NULL,
  at   BIGINT NOT NULL,
  body TEXT   NOT NULL,
  PRIMARY KEY (log, seq)
);
