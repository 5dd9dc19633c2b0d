//! Pieces that tests share: fake clock, faulty engine, in-memory duplex.
