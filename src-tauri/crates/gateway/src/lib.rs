//! The loopback reverse proxy in front of every session's web services.
