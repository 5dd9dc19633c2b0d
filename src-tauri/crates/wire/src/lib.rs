//! One byte stream to many typed, flow-controlled streams.
