//! What a real Chromium makes of the gateway.

mod isolation;
mod neighbours;
