//! Docker Engines: connection, events, images, containers, exec; the only crate that names bollard.
