//! The status protocol's files: schema, tolerant reader, atomic writer.
